import { setTimeout as wait } from 'node:timers/promises';
import { STEP_NAMES, STEPS, type Step } from '../bundle/orders.ts';
import type { Lab } from '../harness/lab.ts';
import type { Run } from '../harness/run.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

const MOMENTS = ['during', 'after'] as const;
/** `during` the answer of a handler there is nothing. */
export const CRASHES = STEP_NAMES.flatMap((step) =>
  MOMENTS.filter((when) => step !== 'reply' || when === 'after').map((when) => ({ step, when })),
);

interface Crash {
  readonly step: Step;
  readonly when: 'during' | 'after';
}

/** Ends the process that carries out the next send at that moment. */
export function orderCrash(lab: Lab, { step, when }: Crash): void {
  lab.order({ crash: { function: 'send', at: STEPS[step], when } });
}

export const R06: Fault = {
  id: 'R-06',
  title: 'The function is killed at every step of a send',
  hypothesis: 'Whatever the step, the repeat ends in one entry that everybody gets.',
  schedule: `SIGKILL during and after each of ${STEP_NAMES.join(', ')}; the sender repeats at once, twice.`,
  asserts: 'No killed send is answered; both repeats are answered the same numbers.',
  async run(run, lab) {
    const conversationId = await audience(run);
    const sender = await run.raw('ana', 'sender');
    for (const crash of CRASHES) {
      const name = `${crash.when} ${crash.step}`;
      const [key, text] = [crypto.randomUUID(), `killed ${name}`];
      const end = run.history.begin(`killed ${name}`);
      orderCrash(lab, crash);
      const killed = await sender.send(conversationId, text, key);
      lab.order({});
      end();
      run.expect(killed.outcome === 'info', `the send killed ${name} was answered ${JSON.stringify(killed)}`);
      const first = await sender.send(conversationId, text, key);
      const second = await sender.send(conversationId, text, key);
      run.expect(
        first.outcome === 'ok' &&
          second.outcome === 'ok' &&
          first.body.id === second.body.id &&
          first.body.seq === second.body.seq,
        `the repeats of the send killed ${name} were answered ${JSON.stringify([first, second])}`,
      );
    }
  },
};

export const R06_ALONE: Fault = {
  id: 'R-06b',
  title: 'The function is killed at every step, and the sender never comes back, or late',
  hypothesis:
    'Within 60 s the entry is delivered or its number is void; a repeat after that has one entry all the same.',
  schedule: `SIGKILL during and after each step; nobody repeats. When every number is settled: the same sends again, from another device.`,
  asserts: 'All numbers are settled within 60 s; every late repeat is answered.',
  async run(run, lab) {
    const conversationId = await audience(run);
    const sender = await run.raw('ana', 'sender');
    const killed: { key: string; text: string }[] = [];
    const end = run.history.begin('killed at every step');
    for (const crash of CRASHES) {
      const send = { key: crypto.randomUUID(), text: `alone, killed ${crash.when} ${crash.step}` };
      orderCrash(lab, crash);
      await sender.send(conversationId, send.text, send.key);
      killed.push(send);
    }
    lab.order({});
    end();
    const other = await run.raw('ana', 'other');
    const settledFromMs = Date.now();
    const head = await other.ask('log.sync', { conversationId, after: { seq: 0, id: '0' }, limit: 200 });
    run.expect(head.outcome === 'ok', 'the log could not be read');
    const isSettled = async (): Promise<boolean> => {
      const answer = await other.ask('log.sync', { conversationId, after: { seq: 0, id: '0' }, limit: 200 });
      return answer.outcome === 'ok' && answer.body.completeToSeq === answer.body.headSeq;
    };
    await until(isSettled, 'every number is settled', 60_000).catch(() => {
      run.expect(false, `not every number was settled after ${Date.now() - settledFromMs} ms`);
    });
    await run.everybodyHas(60_000);
    for (const { key, text } of killed) {
      const late = await other.send(conversationId, text, key);
      run.expect(late.outcome === 'ok', `the late repeat of "${text}" was answered ${JSON.stringify(late)}`);
    }
  },
};

/** Ben and Cleo listen, and Ana's other devices are there. */
async function audience(run: Run): Promise<string> {
  await run.sdk('ana');
  await run.sdk('ben');
  await run.sdk('cleo');
  return run.group('ana', 'ben', 'cleo');
}

export const R06_TOLD: Fault = {
  id: 'R-06c',
  title: 'Everybody asks about a number that nobody has filled yet, and then its sender comes back',
  hypothesis: 'An open number is told of as open, not as void, until a row stands there: nobody goes past it.',
  schedule:
    'A send is killed after reserve; the next message follows; a device connects and asks; then the send is repeated.',
  asserts: 'The repeat is answered.',
  async run(run, lab) {
    const conversationId = await audience(run);
    const sender = await run.raw('ana', 'sender');
    await sender.send(conversationId, 'before');
    const end = run.history.begin('killed after reserve');
    const key = crypto.randomUUID();
    orderCrash(lab, { step: 'reserve', when: 'after' });
    await sender.send(conversationId, 'open for a while', key);
    lab.order({});
    await sender.send(conversationId, 'after');
    const late = await run.sdk('ben', 'tablet');
    // The SDK asks about a gap after its grace.
    await wait(2_500);
    const repeat = await sender.send(conversationId, 'open for a while', key);
    end();
    run.expect(repeat.outcome === 'ok', `the repeat was answered ${JSON.stringify(repeat)}`);
    run.expect(late.client.state === 'online', 'the late device is not online');
  },
};
