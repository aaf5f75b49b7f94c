import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { STAGES } from '../../lib/stages.ts';
import { Stop } from '../../scripts/doctor/aws-errors.ts';
import { formatReport, type DoctorOptions } from '../../scripts/doctor/doctor.ts';
import { INPUT } from '../infra/harness.ts';
import { deployedState, REGION } from './support/deployed.ts';
import { KEY } from './support/fake-aws.ts';
import { saying, Scene } from './support/scene.ts';

const scene = Scene.forEachTest();

async function stopped(over: Partial<DoctorOptions> = {}): Promise<string> {
  const error: unknown = await scene.run(over).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Stop);
  const { message } = error as Stop;
  expect(message).not.toContain('\n');
  return message;
}

describe('a stage as its templates describe it', () => {
  it.each(['small', 'prod'] as const)('has nothing to complain about: %s', async (name) => {
    scene.aws.state = deployedState(name, scene.app.socketUrl);
    const { checks, ...report } = await scene.run({ stage: STAGES[name](INPUT) });
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report).toEqual({ stage: name, account: '123456789012', region: REGION, ok: true });
    expect(checks.map(({ name: checked }) => checked).sort()).toEqual(
      [
        'account',
        ...['network', 'data', 'stream', 'edge', 'realtime'].map((part) => `stack parley-${name}-${part}`),
        ...['', ': TTL', ': recovery'].map((aspect) => `log parley_${name}.messages${aspect}`),
        `table parley-${name}-directory`,
        `table parley-${name}-directory: recovery`,
        `table parley-${name}-connections`,
        `table parley-${name}-connections: TTL`,
        `table parley-${name}-sends`,
        `table parley-${name}-sends: stream`,
        `table parley-${name}-sends: TTL`,
        `brokers parley-${name}`,
        'topic conversation-events',
        'topic signals',
        ...[...scene.state.functions.keys()].map((fn) => `function ${fn}`),
        'mapping conversation-events → deliver',
        'mapping signals → deliver',
        'mapping stream of sends → repair',
        'socket without a token',
      ].sort(),
    );
    expect(scene.state.functions.size).toBeGreaterThanOrEqual(10);
  });

  it('is shown a line for each check, and a sum', async () => {
    const lines = formatReport(await scene.run())
      .trimEnd()
      .split('\n');
    expect(lines[0]).toMatch(
      /^✓ account +123456789012 in eu-west-1, as arn:aws:sts::123456789012:assumed-role\/Support\/ana$/,
    );
    expect(lines.slice(0, -2).every((line) => line.startsWith('✓ '))).toBe(true);
    expect(lines.at(-1)).toBe(`Stage small: ${lines.length - 2} checks, all as it should be.`);
  });

  it('is shown what failed with what to do, below it', async () => {
    scene.state.tables.get('parley-small-directory')!.recovery = 'DISABLED';
    const text = formatReport(await scene.run());
    expect(text).toMatch(/^✗ table parley-small-directory: recovery +DISABLED\n {4}→ Turn it on: aws dynamodb /m);
    expect(text).toMatch(/checks, 1 not as it should be\.\n$/);
  });
});

describe('credentials, Region, network', () => {
  it('without credentials: says how to get some', async () => {
    const error = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
    expect(await stopped({ credentials: () => Promise.reject(error) })).toMatch(
      /^There are no AWS credentials .*aws sso login.*AWS_PROFILE/,
    );
  });

  it.each(['ExpiredToken', 'InvalidClientTokenId', 'RequestExpired'])(
    'with credentials that AWS refuses (%s): says what to look at',
    async (code) => {
      scene.aws.refusals.set('GetCallerIdentity', { code, status: 403 });
      expect(await stopped()).toMatch(
        new RegExp(`does not take the credentials \\(${code}\\)\\. Sign in again.*clock`),
      );
    },
  );

  it('never shows what AWS repeats of a request that was signed wrongly', async () => {
    const message = `We calculated another signature.\nThe Canonical String was x-amz-security-token:${KEY.sessionToken}`;
    scene.aws.refusals.set('GetCallerIdentity', { code: 'Odd', message });
    expect(await stopped()).not.toContain(KEY.sessionToken);
    scene.aws.refusals.clear();
    scene.aws.refusals.set('ListClustersV2', { code: 'Odd', message });
    expect(await scene.failure()).toMatchObject({ found: 'not known: Odd: We calculated another signature.' });
  });

  it('with a wrong secret: the signature is what AWS does not take', async () => {
    const credentials = () => Promise.resolve({ ...KEY, secretAccessKey: 'wrong' });
    expect(await stopped({ credentials })).toContain('(SignatureDoesNotMatch)');
  });

  it('without a network: names the address that does not answer, and the Region', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const line = await stopped({ endpoint: `http://127.0.0.1:${port}` });
    expect(line).toBe(
      `No answer from http://127.0.0.1:${port} (ECONNREFUSED). Check the network and its proxy, and that "eu-west-1" is a Region of AWS.`,
    );
  });

  it('waits for no answer for ever', async () => {
    scene.aws.refusals.set('GetTable', 'hang');
    scene.aws.refusals.set('ListClustersV2', 'hang');
    const failed = await scene.failures({ timeoutMs: 500 });
    for (const name of ['log parley_small.messages', 'brokers parley-small']) {
      expect(failed.find((one) => one.name === name)).toMatchObject({
        found: saying(/^not known: no answer \((Timeout|Abort)Error\)$/),
        advice: saying(/^Check the network/),
      });
    }
  });

  it('where the stage is not deployed: names account and Region', async () => {
    scene.state.stacks.clear();
    expect(await stopped()).toMatch(
      /^Stage "small" is not deployed in account 123456789012, eu-west-1\. .*AWS_PROFILE and --region; else: npx cdk deploy --all -c stage=small/,
    );
  });
});

describe('rights', () => {
  it('are named where one is missing, and nothing else is held up', async () => {
    scene.aws.refusals.set('GetTable', { code: 'AccessDeniedException', status: 400 });
    expect(await scene.failure()).toEqual({
      name: 'log parley_small.messages',
      ok: false,
      found: 'not known: AWS refused the question (AccessDeniedException)',
      advice: 'Allow cassandra:Select to whoever runs this. docs/doctor.md has the whole policy.',
    });
  });

  it('all stand in the policy of docs/doctor.md', async () => {
    await scene.run();
    const denied = { code: 'AccessDenied', status: 403 };
    for (const operation of new Set(scene.aws.asked)) scene.aws.refusals.set(operation, denied);
    // Needs no right.
    scene.aws.refusals.delete('GetCallerIdentity');
    const failed = await scene.failures();
    // Topics are asked for only once their cluster is known.
    scene.aws.refusals.delete('ListClustersV2');
    const named = new Set(
      [...failed, ...(await scene.failures())].flatMap(({ advice }) => advice!.match(/\b[a-z-]+:[A-Z]\w+/g) ?? []),
    );
    const policy = JSON.parse(/```json\n(.*?)```/s.exec(readFileSync('docs/doctor.md', 'utf8'))![1]!) as {
      Statement: { Action: string[] }[];
    };
    const allowed = policy.Statement.flatMap(({ Action }) => Action);
    expect(named.size).toBeGreaterThanOrEqual(9);
    expect([...named].sort()).toEqual(allowed.sort());
  });

  it('are no matter when AWS is only busy', async () => {
    scene.aws.refusals.set('ListEventSourceMappings', { code: 'TooManyRequestsException', status: 429 });
    const failures = await scene.failures();
    expect(failures).toHaveLength(2);
    for (const failure of failures) {
      expect(failure).toMatchObject({ found: saying(/throttled/), advice: 'Run it again in a minute.' });
    }
  });
});
