import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cost } from '../../local/lambda/environment.ts';
import { makeFunction, removeFolders, startRuntime, until, type StartedRuntime } from './fixtures.ts';

const PROBE = `
let events = 0;
export const handler = async (event, context) => {
  events++;
  switch (event?.do) {
    case 'throw': throw new TypeError('no');
    case 'exit': return process.exit(event.code);
    case 'reject': Promise.reject(new Error('lost')); return new Promise((resolve) => setTimeout(resolve, 5_000));
    case 'throw later': setTimeout(() => { throw new Error('late'); }, 1); return new Promise((resolve) => setTimeout(resolve, 5_000));
    case 'never': return new Promise(() => undefined);
    case 'wait': return new Promise((resolve) => setTimeout(resolve, 100));
    case 'compute': { const untilMs = performance.now() + 100; while (performance.now() < untilMs); return null; }
    case 'loop': for (;;);
    case 'fill the memory': { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())); }
    case 'large': return 'x'.repeat(7 * 1024 * 1024);
    case 'environment': return process.env;
    case 'context': return { ...context, remainingMs: context.getRemainingTimeInMillis(), cwd: process.cwd(), send: typeof process.send };
    case 'fetch': return fetch(event.url).then((response) => response.text(), (error) => String(error.cause ?? error));
    case 'meet': {
      const meeting = await fetch(event.url);
      return { pid: process.pid, met: await meeting.text() };
    }
    case 'fetch later': setTimeout(() => void fetch(event.url).catch(() => undefined), 20); return 'answered';
    default: return { events, pid: process.pid };
  }
};
`;

const INTERNAL_ERROR = expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: /) as string;
let started: StartedRuntime | undefined;

function start(
  settings: Parameters<typeof makeFunction>[2] = {},
  options: Parameters<typeof startRuntime>[1] = {},
): StartedRuntime {
  started = startRuntime([makeFunction('probe', PROBE, settings)], options);
  return started;
}

/** Answers requests when `partySize` of them are there. */
async function meetingPoint(partySize: number) {
  const waiting: (() => void)[] = [];
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    waiting.push(() => response.end(String(partySize)));
    if (waiting.length >= partySize) for (const go of waiting.splice(0)) go();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://meeting.example:80/`,
    redirects: { ports: { 'meeting.example:80': port }, addresses: {} },
    count: () => requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

afterEach(async () => {
  await started?.runtime.stop();
  started = undefined;
  removeFolders();
});

describe('an execution environment', () => {
  it('tells what an event has cost: the time it took, and how much of it the process computed', async () => {
    const costs: Cost[] = [];
    const { answer } = start({}, { onCost: (_, cost) => costs.push(cost) });
    await answer('probe');
    await answer('probe', { do: 'wait' });
    await answer('probe', { do: 'compute' });
    const [, waited, computed] = costs as [Cost, Cost, Cost];
    expect(waited.handlerMs).toBeGreaterThanOrEqual(99);
    expect(computed.handlerMs).toBeGreaterThanOrEqual(99);
    expect(computed.cpuMs).toBeGreaterThan(3 * waited.cpuMs);
  });

  it('is used again, with the state of its module', async () => {
    const { answer } = start();
    const first = (await answer('probe')) as { events: number; pid: number };
    expect(first.events).toBe(1);
    expect(await answer('probe')).toEqual({ events: 2, pid: first.pid });
  });

  it('runs N events at once in N processes', async () => {
    const meeting = await meetingPoint(4);
    const { answer } = start({}, { redirects: meeting.redirects });
    const events = Array.from({ length: 4 }, () => answer('probe', { do: 'meet', url: meeting.url }));
    const answers = (await Promise.all(events)) as { pid: number }[];
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(4);
    await meeting.close();
  });

  it('makes events wait beyond the most environments, and says so', async () => {
    const meeting = await meetingPoint(2);
    const { answer, lines, runtime } = start({}, { redirects: meeting.redirects, environmentsMax: 2 });
    const events = Array.from({ length: 4 }, () => answer('probe', { do: 'meet', url: meeting.url }));
    const answers = (await Promise.all(events)) as { pid: number }[];
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    expect(runtime.pidsOf('probe')).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('QUEUED'))).toHaveLength(1);
    await meeting.close();
  });

  it('throttles beyond the concurrency that the template reserves', async () => {
    const meeting = await meetingPoint(2);
    const { answer, runtime } = start({ reservedConcurrency: 1 }, { redirects: meeting.redirects });
    const first = answer('probe', { do: 'meet', url: meeting.url });
    await until(() => meeting.count() === 1, 'the first event has begun');
    await expect(runtime.invoke('probe', {})).rejects.toThrow('Rate Exceeded.');
    await fetch(`http://127.0.0.1:${meeting.redirects.ports['meeting.example:80']}/`);
    await first;
    await meeting.close();
  });

  it('is frozen between events: what a handler did not wait for happens with the next event', async () => {
    const meeting = await meetingPoint(1);
    const { answer, runtime } = start({}, { redirects: meeting.redirects });
    expect(await answer('probe', { do: 'fetch later', url: meeting.url })).toBe('answered');
    const [pid] = runtime.pidsOf('probe');
    expect(await stateOf(pid ?? 0)).toBe('T');
    expect(meeting.count()).toBe(0);
    // Thawed it runs on: the timer is due.
    await answer('probe', { do: 'fetch', url: meeting.url });
    await answer('probe', { do: 'fetch', url: meeting.url });
    await until(() => meeting.count() >= 3, 'the late call was made');
    await meeting.close();
  });

  it.each([
    [{ do: 'throw' }, { errorType: 'TypeError', errorMessage: 'no' }],
    [
      { do: 'exit', code: 1 },
      { errorType: 'Runtime.ExitError', errorMessage: INTERNAL_ERROR },
    ],
    [
      { do: 'exit', code: 0 },
      {
        errorType: 'Runtime.ExitError',
        errorMessage: expect.stringMatching(/Runtime exited without providing a reason$/) as string,
      },
    ],
    [{ do: 'reject' }, { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'lost' }],
    [{ do: 'throw later' }, { errorType: 'Error', errorMessage: 'late' }],
    [{ do: 'never' }, { errorType: 'Runtime.NodeJsExit' }],
    [{ do: 'large' }, { errorType: 'Function.ResponseSizeTooLarge' }],
    [
      { do: 'fill the memory' },
      { errorType: 'Runtime.ExitError', errorMessage: expect.stringMatching(/signal: killed$/) as string },
    ],
  ])('reports %j as Lambda does, and answers the next event', async (event, failure) => {
    const { runtime, answer } = start();
    const { payload, failed } = await runtime.invoke('probe', event);
    expect(failed).toBe(true);
    expect(JSON.parse(payload)).toMatchObject(failure);
    expect(await answer('probe')).toMatchObject({ pid: expect.any(Number) as number });
  });

  it('is killed at the time-out of its function, even in a busy loop', async () => {
    const { answer } = start({ timeoutMs: 300 });
    expect(await answer('probe', { do: 'loop' })).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(
        /^RequestId: [0-9a-f-]{36} Error: Task timed out after 0.30 seconds$/,
      ) as string,
    });
    expect(await answer('probe')).toMatchObject({ events: 1 });
  });

  it('that is killed in mid-event fails it, and a fresh one takes the next', async () => {
    const meeting = await meetingPoint(2);
    const { runtime, answer } = start({}, { redirects: meeting.redirects });
    const killed = answer('probe', { do: 'meet', url: meeting.url });
    await until(() => meeting.count() === 1, 'the event has begun');
    process.kill(runtime.pidsOf('probe')[0] ?? 0, 'SIGKILL');
    expect(await killed).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/signal: killed$/) as string,
    });
    expect(await answer('probe')).toMatchObject({ events: 1 });
    await meeting.close();
  });

  it('sees its own variables and nothing of the developer', async () => {
    process.env['SECRET_OF_THE_DEVELOPER'] = 'leaked';
    const { answer } = start(
      { environment: { FROM_TEMPLATE: 'a', REPLACED: 'b' } },
      { variables: () => ({ REPLACED: 'c' }) },
    );
    const environment = (await answer('probe', { do: 'environment' })) as Record<string, string>;
    delete process.env['SECRET_OF_THE_DEVELOPER'];
    expect(Object.keys(environment).sort()).toEqual([
      'AWS_DEFAULT_REGION',
      'AWS_EXECUTION_ENV',
      'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
      'AWS_LAMBDA_FUNCTION_NAME',
      'AWS_LAMBDA_FUNCTION_VERSION',
      'AWS_LAMBDA_INITIALIZATION_TYPE',
      'AWS_LAMBDA_LOG_GROUP_NAME',
      'AWS_LAMBDA_LOG_STREAM_NAME',
      'AWS_REGION',
      'FROM_TEMPLATE',
      'LAMBDA_TASK_ROOT',
      'LANG',
      'PATH',
      'REPLACED',
      'TZ',
      '_HANDLER',
      '_X_AMZN_TRACE_ID',
    ]);
    expect(environment).toMatchObject({
      FROM_TEMPLATE: 'a',
      REPLACED: 'c',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    });
  });

  it('gets the context of Lambda, in the folder of its code', async () => {
    const { answer } = start();
    const context = (await answer('probe', { do: 'context' })) as { remainingMs: number; cwd: string };
    expect(context).toMatchObject({
      functionName: 'probe',
      functionVersion: '$LATEST',
      memoryLimitInMB: '128',
      invokedFunctionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:probe',
      callbackWaitsForEmptyEventLoop: true,
      send: 'undefined',
    });
    expect(context.remainingMs).toBeGreaterThan(0);
    expect(context.remainingMs).toBeLessThanOrEqual(10_000);
    expect(context.cwd).toMatch(/parley-runtime-/);
  });

  it('reaches nothing but what stands for something here', async () => {
    const { answer, lines } = start();
    expect(await answer('probe', { do: 'fetch', url: 'http://example.com/' })).toMatch(/ECONNREFUSED example.com:80/);
    await until(
      () => lines.includes('REFUSED a connection to example.com:80: nothing stands for it on this machine.'),
      'it is told',
    );
  });

  it('prints what Lambda prints around an event', async () => {
    const { answer, lines } = start();
    await answer('probe');
    expect(lines).toEqual([
      expect.stringMatching(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST$/),
      expect.stringMatching(/^END RequestId: [0-9a-f-]{36}$/),
      expect.stringMatching(
        /^REPORT RequestId: .*\tDuration: .* ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: .* ms$/,
      ),
    ]);
  });

  it('runs replaced code from the next event on, and lets the event under way end with the old', async () => {
    const meeting = await meetingPoint(2);
    const { runtime, answer } = start({}, { redirects: meeting.redirects });
    const old = answer('probe', { do: 'meet', url: meeting.url });
    await until(() => meeting.count() === 1, 'the event has begun');
    runtime.replace(makeFunction('probe', 'export const handler = async () => "new";'));
    expect(await answer('probe')).toBe('new');
    await fetch(`http://127.0.0.1:${meeting.redirects.ports['meeting.example:80']}/`);
    expect(await old).toMatchObject({ met: '2' });
    await until(() => runtime.pidsOf('probe').length === 1, 'the old environment is gone');
    await meeting.close();
  });

  it.each([
    ['no such file', { handler: 'other.handler' }, 'export const handler = 1;', 'Runtime.ImportModuleError'],
    ['no such export', { handler: 'index.other' }, 'export const handler = 1;', 'Runtime.HandlerNotFound'],
    ['no code', {}, 'export const handler = {', 'Runtime.UserCodeSyntaxError'],
    [
      'a callback',
      {},
      'export const handler = (event, context, callback) => callback();',
      'Runtime.CallbackHandlerDeprecated',
    ],
    ['a missing package', {}, 'import "not-there"; export const handler = async () => 1;', 'Runtime.ImportModuleError'],
    ['a module that throws', {}, 'throw new RangeError("at the start");', 'RangeError'],
  ])('tells of %s', async (_, settings, code, errorType) => {
    started = startRuntime([makeFunction('probe', code, settings)]);
    expect(await started.answer('probe')).toMatchObject({ errorType });
  });
});

describe('the end of the runtime', () => {
  it('ends every process, frozen or busy', async () => {
    const { runtime, answer } = start({ timeoutMs: 60_000 });
    await answer('probe');
    const [frozen] = runtime.pidsOf('probe');
    const busy = runtime.invoke('probe', { do: 'loop' });
    const pids = runtime.pidsOf('probe');
    expect(pids).toContain(frozen);
    await runtime.stop();
    expect((await busy).failed).toBe(true);
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
  });

  it('leaves no frozen process behind when it is killed', async () => {
    const definition = makeFunction('probe', PROBE);
    const parent = spawn(
      process.execPath,
      ['--conditions=parley-source', '--import', 'tsx', 'test/runtime/killed-parent.ts', JSON.stringify(definition)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.length).toBeGreaterThan(0);
    expect(await stateOf(pids[0] ?? 0)).toBe('T');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await until(() => pids.every((pid) => !isAlive(pid)), 'the children are gone');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** One letter, as ps tells: T is stopped. */
async function stateOf(pid: number): Promise<string> {
  const ps = spawn('ps', ['-o', 'state=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = (await once(ps.stdout, 'data')) as [Buffer];
  return output.toString().trim().charAt(0);
}
