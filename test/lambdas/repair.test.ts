import { randomUUID } from 'node:crypto';
import { LIMITS, type Entry } from '@parley/protocol';
import { createHandler as repair } from '../../lambdas/repair.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { audit } from './support/audit.ts';
import { crashAt, intercept, replace, spy } from './support/intercept.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

interface Scene {
  readonly stage: Stage;
  readonly ana: Socket;
  readonly ben: Socket;
  readonly group: string;
  readonly body: object;
}

async function scene(): Promise<Scene> {
  const stage = new Stage();
  const ana = await stage.connect('ana');
  const ben = await stage.connect('ben');
  const group = await stage.group(ana, ben);
  await ben.send(group, 'before');
  await stage.repaired();
  return { stage, ana, ben, group, body: sendBody(group, 'the one', { clientMessageId: randomUUID() }) };
}

function entriesOf(socket: Socket): Entry[] {
  return socket.events.flatMap(({ type, body }) => (type === 'entry' ? [body] : []));
}

const zero = { seq: 0, id: '0' };

async function callsOfSend(): Promise<number> {
  const { stage, ana, body } = await scene();
  const { services, calls } = spy(stage.services);
  await ana.ok('message.send', body, services);
  return calls.length;
}

describe('repair', () => {
  it.each(['before', 'after'] as const)(
    'a sender that dies %s any call and never comes back: its entry reaches everybody, or its number is void',
    async (moment) => {
      const outcomes = new Set<string>();
      const calls = await callsOfSend();
      expect(calls).toBeGreaterThanOrEqual(8);
      for (let n = 1; n <= calls; n++) {
        const { stage, ana, ben, group, body } = await scene();
        await ana.request('message.send', body, crashAt(stage.services, n, moment).services);
        await stage.repaired();
        stage.clock.advance(LIMITS.voidAfterMs);
        // A number that was never reserved is told by the head alone: somebody who has the conversation open finds it.
        const { behind } = await ben.ok('heartbeat', { heads: { [group]: 1 } });
        if (behind.length > 0) await ben.ok('log.sync', { conversationId: group, after: zero });
        await stage.settled();
        const { headSeq, pending, messages, voids } = await audit(stage, ana.keyOf(group), 'ana');
        expect({ n, pending }).toEqual({ n, pending: [] });
        const seen = entriesOf(ben).map(({ seq }) => seq);
        for (const { seq } of messages.slice(1)) expect(seen).toContain(seq);
        outcomes.add(headSeq === 1 ? 'nothing' : voids.length > 0 ? 'void' : 'entry');
        // Whoever comes back later, also after the number became void, gets one entry.
        const late = await ana.ok('message.send', body);
        await stage.repaired();
        const after = await audit(stage, ana.keyOf(group), 'ana');
        expect(after.messages.filter(({ id }) => id === late.id)).toHaveLength(1);
        expect(after.messages).toHaveLength(2);
        expect(entriesOf(ben).map(({ id }) => id)).toContain(late.id);
      }
      expect([...outcomes].sort()).toEqual(['entry', 'nothing', 'void']);
    },
  );

  it('leaves alone what is published: one look at the mark, and nothing else', async () => {
    const { stage, ana, group } = await scene();
    for (let i = 0; i < 20; i++) await ana.send(group, `message ${i}`);
    await stage.settled();
    const { services, calls } = spy(stage.services);
    await stage.repaired(services);
    expect(calls.map(({ method }) => method)).toEqual(Array.from({ length: 20 }, () => 'isMarked'));
  });

  it('publishes everything again without the marks, and voids nothing that has a row', async () => {
    const { stage, ana, ben, group } = await scene();
    for (let i = 0; i < 3; i++) await ana.send(group, `message ${i}`);
    await stage.settled();
    const before = entriesOf(ben).length;
    await stage.repaired(
      intercept(stage.services, ({ port, proceed }) =>
        port === 'presence' ? Promise.reject(new Unavailable('down')) : proceed(),
      ),
    );
    expect(entriesOf(ben)).toHaveLength(before + 3);
    expect((await audit(stage, ana.keyOf(group), 'ana')).voids).toEqual([]);
  });

  it('waits for a sender that is still at work', async () => {
    const { stage, ana, ben, group, body } = await scene();
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const slow = replace(stage.services, 'log', {
      insertIfAbsent: async ({ proceed }) => {
        await held;
        return proceed();
      },
    });
    const sending = ana.ok('message.send', body, slow);
    while (stage.outbox.length === 0) await new Promise(setImmediate);
    // 50 ms of the time that a number is waited for are left.
    stage.clock.advance(LIMITS.voidAfterMs - 50);
    const Records = stage.outbox.splice(0);
    const repairing = repair(stage.services)({ Records });
    goOn();
    const { seq } = await sending;
    await repairing;
    await stage.settled();
    expect(await audit(stage, ana.keyOf(group), 'ana')).toMatchObject({ headSeq: seq, voids: [], pending: [] });
    expect(entriesOf(ben).map((entry) => entry.seq)).toContain(seq);
  });

  it('has what no store took come again, and only that', async () => {
    const { stage, ana, group } = await scene();
    const silent = replace(stage.services, 'stream', { publish: () => Promise.reject(new Unavailable('down')) });
    const { seq } = await ana.ok('message.send', sendBody(group, 'first'), silent);
    await ana.send(group, 'second');
    stage.clock.advance(LIMITS.voidAfterMs);
    const Records = stage.outbox.splice(0);
    const failed = await repair(silent)({ Records });
    const first = Records.find(({ dynamodb }) => dynamodb?.NewImage?.['seq']?.N === String(seq));
    expect(failed).toEqual({ batchItemFailures: [{ itemIdentifier: first?.dynamodb?.SequenceNumber }] });
  });

  it('leaves an entry that has ended alone', async () => {
    const { stage, ana, ben, body } = await scene();
    const silent = replace(stage.services, 'stream', { publish: () => Promise.reject(new Unavailable('down')) });
    await ana.ok(
      'message.send',
      body,
      replace(silent, 'direct', { deliver: () => Promise.reject(new Unavailable('')) }),
    );
    const seen = entriesOf(ben).length;
    stage.clock.advance(LIMITS.entryTtlMs);
    await stage.repaired();
    expect(entriesOf(ben)).toHaveLength(seen);
  });
});

describe('sync', () => {
  it('asks for the same hole once in a while, however many ask it, and not while its sender may be at work', async () => {
    const { stage, ana, ben, group, body } = await scene();
    await ana.request('message.send', body, crashAt(stage.services, await takeNumberCall(), 'after').services);
    await ben.send(group, 'behind');
    const { services, calls } = spy(stage.services);
    const ask = () => ben.ok('log.sync', { conversationId: group, after: zero }, services);
    expect(await ask()).toMatchObject({ completeToSeq: 1, headSeq: 3, retryAfterMs: expect.any(Number) as number });
    expect(calls.filter(({ port }) => port === 'repairs')).toEqual([]);
    stage.clock.advance(LIMITS.voidAfterMs);
    await Promise.all([ask(), ask(), ask()]);
    expect(calls.filter(({ port }) => port === 'repairs')).toHaveLength(1);
    await stage.settled();
    const answer = await ask();
    expect(answer).toMatchObject({ completeToSeq: 3, headSeq: 3 });
    expect(answer.retryAfterMs).toBeUndefined();
    expect(answer.entries.map(({ kind }) => kind)).toEqual(['message', 'void', 'message']);
  });

  it('has a hole closed in time though who took the next number has a clock that is ahead', async () => {
    const { stage, ana, ben, group, body } = await scene();
    await ana.request('message.send', body, crashAt(stage.services, await takeNumberCall(), 'after').services);
    const ahead = { ...stage.services, now: () => stage.clock.now() + 300_000 };
    await ben.ok('message.send', sendBody(group, 'from the future'), ahead);
    const ask = () => ben.ok('log.sync', { conversationId: group, after: zero });
    expect(await ask()).toMatchObject({ completeToSeq: 1, headSeq: 3 });
    stage.clock.advance(LIMITS.voidAfterMs - 1);
    await ask();
    await stage.settled();
    expect(await ask()).toMatchObject({ completeToSeq: 1 });
    stage.clock.advance(1);
    await ask();
    await stage.settled();
    expect((await ask()).entries.map(({ kind }) => kind)).toEqual(['message', 'void', 'message']);
  });

  async function takeNumberCall(): Promise<number> {
    const { stage, ana, body } = await scene();
    const { services, calls } = spy(stage.services);
    await ana.ok('message.send', body, services);
    return calls.findIndex(({ method }) => method === 'takeNumber') + 1;
  }
});
