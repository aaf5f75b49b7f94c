import { setTimeout as wait } from 'node:timers/promises';
import { STEP_NAMES, STEPS, type Step } from '../bundle/orders.ts';
import type { Lab } from '../harness/lab.ts';
import { operationsOf } from '../history/questions.ts';
import type { RawDevice } from '../harness/raw-device.ts';
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
      run.expect(lab.carriedOut('crash') === 1, `nothing was killed ${name}`);
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

/** Within this an entry is delivered, or its number void, though nobody comes back. */
const WITHIN_MS = 60_000;
/** The row by which `repair` learns of a number stands from here on. Before it, only those who ask for the log meet the number. */
const STORED_FROM = STEP_NAMES.indexOf('persist');

interface Killed extends Crash {
  readonly conversationId: string;
  readonly key: string;
  readonly text: string;
  /** The last number before it. */
  readonly baseSeq: number;
  readonly atMs: number;
  /** Whether it took a number. */
  readonly isNumbered: boolean;
}

export const R06_ALONE: Fault = {
  id: 'R-06b',
  title: 'The function is killed at every step, and the sender never comes back, or late',
  hypothesis:
    'Within 60 s repair delivers the entry, or makes its number void; a repeat after that has one entry all the same.',
  schedule:
    'SIGKILL during and after each step, each in a conversation of its own; nobody repeats, and nobody asks for the log, but one SDK device where the send may have died before the outbox knew of it. When every number is settled: the same sends again, from another device.',
  asserts:
    'No killed send is answered. A socket that only listens is pushed the entry, or the void number, within 60 s, by then no number is open; every late repeat is answered.',
  async run(run, lab) {
    const sender = await run.raw('ana', 'sender');
    const wire = await run.raw('ben', 'wire');
    await run.sdk('cleo');
    const killed: Killed[] = [];
    const end = run.history.begin('killed at every step');
    for (const crash of CRASHES) killed.push(await killOne(run, lab, sender, crash));
    end();
    // Of whatever took a number the wire is told, and of nothing else it has to be.
    const told = ({ conversationId, baseSeq }: Killed) =>
      wire.got.find((entry) => entry.conversationId === conversationId && entry.seq > baseSeq);
    const open = (): Killed[] => killed.filter((each) => each.isNumbered && told(each) === undefined);
    await until(() => open().length === 0, 'every number is settled', WITHIN_MS).catch(() => {
      run.expect(false, `after ${WITHIN_MS} ms nobody was told of ${open().map(nameOf).join(', ')}`);
    });
    const [deliveredMs, voidMs]: [number[], number[]] = [[], []];
    for (const each of killed.filter(({ isNumbered }) => isNumbered)) {
      const entry = told(each);
      const tookMs = toldAtMs(run, wire.process, each) - each.atMs;
      if (entry?.kind === 'message' && tookMs > 0) deliveredMs.push(tookMs);
      if (entry?.kind === 'void') voidMs.push(tookMs);
      const isStored =
        STEP_NAMES.indexOf(each.step) >= STORED_FROM && !(each.step === 'persist' && each.when === 'during');
      run.expect(
        !isStored || entry?.kind === 'message',
        `what was killed ${nameOf(each)} became ${entry?.kind ?? 'nothing'}`,
      );
      run.expect(tookMs <= WITHIN_MS, `what was killed ${nameOf(each)} was settled after ${tookMs} ms`);
    }
    run.figure(
      `${killed.length} killed: ${killed.length - killed.filter(({ isNumbered }) => isNumbered).length} took no number, ${spread('delivered by repair', deliveredMs)}, ${spread('void', voidMs)}`,
    );
    run.expect(deliveredMs.length > 0 && voidMs.length > 0, 'nothing was left to repair: the fault did not happen');
    const other = await run.raw('ana', 'other');
    for (const { conversationId, key, text, ...crash } of killed) {
      const page = await other.ask('log.sync', { conversationId, after: { seq: 0, id: '0' } });
      const isWhole = page.outcome === 'ok' && page.body.completeToSeq === page.body.headSeq;
      run.expect(isWhole, `a number of what was killed ${nameOf(crash)} is open: ${JSON.stringify(page)}`);
      const late = await other.send(conversationId, text, key);
      run.expect(late.outcome === 'ok', `the late repeat of "${text}" was answered ${JSON.stringify(late)}`);
    }
  },
};

async function killOne(run: Run, lab: Lab, sender: RawDevice, crash: Crash): Promise<Killed> {
  const isKnownToOutbox =
    STEP_NAMES.indexOf(crash.step) > STEP_NAMES.indexOf('reserve') || nameOf(crash) === 'after reserve';
  // A device of the SDK would close holes by itself: it is there only where nothing else can.
  const conversationId = await (isKnownToOutbox ? run.group('ana', 'ben') : run.group('ana', 'ben', 'cleo'));
  const [key, text] = [crypto.randomUUID(), `killed ${nameOf(crash)}, alone`];
  const baseSeq = await headOf(sender, conversationId);
  orderCrash(lab, crash);
  const answer = await sender.send(conversationId, text, key);
  const atMs = Date.now();
  run.expect(answer.outcome === 'info', `the send killed ${nameOf(crash)} was answered ${JSON.stringify(answer)}`);
  run.expect(lab.carriedOut('crash') === 1, `nothing was killed ${nameOf(crash)}`);
  lab.order({});
  const isNumbered = (await headOf(sender, conversationId)) > baseSeq;
  return { ...crash, conversationId, key, text, baseSeq, atMs, isNumbered };
}

/** Reads the head, and nothing of the log: no hole is met by it. */
async function headOf(device: RawDevice, conversationId: string): Promise<number> {
  const answer = await device.ask('conversation.get', { conversationId });
  if (answer.outcome !== 'ok') throw new Error(`the head cannot be read: ${answer.code}`);
  return answer.body.conversation.headSeq;
}

function nameOf({ step, when }: Crash): string {
  return `${when} ${step}`;
}

/** When the device was first told of what was killed. */
function toldAtMs({ history }: Run, process: string, { conversationId, baseSeq }: Killed): number {
  const first = operationsOf(history.operations, 'receive', 'ok').find(
    (each) => each.process === process && each.value.conversationId === conversationId && each.value.seq > baseSeq,
  );
  return first?.atMs ?? Infinity;
}

function spread(what: string, tookMs: readonly number[]): string {
  const inSeconds = (ms: number): string => (ms / 1_000).toFixed(1);
  if (tookMs.length === 0) return `none ${what}`;
  return `${tookMs.length} ${what} after ${inSeconds(Math.min(...tookMs))} to ${inSeconds(Math.max(...tookMs))} s`;
}

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
    const killed = await sender.send(conversationId, 'open for a while', key);
    run.expect(killed.outcome === 'info', `the killed send was answered ${JSON.stringify(killed)}`);
    run.expect(lab.carriedOut('crash') === 1, 'nothing was killed');
    lab.order({});
    const after = await sender.send(conversationId, 'after');
    run.expect(after.outcome === 'ok', `the next send was answered ${JSON.stringify(after)}`);
    const late = await run.sdk('ben', 'tablet');
    // The SDK asks about a gap after its grace.
    await wait(2_500);
    const repeat = await sender.send(conversationId, 'open for a while', key);
    end();
    run.expect(repeat.outcome === 'ok', `the repeat was answered ${JSON.stringify(repeat)}`);
    run.expect(late.client.state === 'online', 'the late device is not online');
  },
};
