import { randomUUID } from 'node:crypto';
import { LIMITS, type ReplyFrame } from '@parley/protocol';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { audit } from './support/audit.ts';
import { crashAt, intercept, loseAt, replace, type Moment } from './support/intercept.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

interface Scene {
  readonly stage: Stage;
  readonly ana: Socket;
  readonly tablet: Socket;
  readonly ben: Socket;
  readonly group: string;
  readonly body: object;
}

async function scene(): Promise<Scene> {
  const stage = new Stage();
  const ana = await stage.connect('ana');
  const tablet = await stage.connect('ana', { deviceId: 'tablet' });
  const ben = await stage.connect('ben');
  const group = await stage.group(ana, ben);
  await ben.send(group, 'before');
  return { stage, ana, tablet, ben, group, body: sendBody(group, 'the one', { clientMessageId: randomUUID() }) };
}

/** How many port calls an undisturbed send makes. */
async function callsOfSend(): Promise<number> {
  const { stage, ana, body } = await scene();
  let calls = 0;
  const services = intercept(stage.services, ({ proceed }) => (calls++, proceed()));
  await ana.ok('message.send', body, services);
  return calls;
}

async function expectOneEntry({ stage, ana, group }: Scene, answer: { id: string; seq: number }) {
  const found = await audit(stage, ana.keyOf(group), 'ana');
  const mine = found.messages.filter(({ senderId }) => senderId === 'ana');
  expect(mine).toEqual([expect.objectContaining({ id: answer.id, seq: answer.seq, kind: 'message' })]);
  return found;
}

const MOMENTS: Moment[] = ['before', 'after'];

describe('a sender that dies at any step', () => {
  it('makes enough calls for the sweep to mean something', async () => {
    expect(await callsOfSend()).toBeGreaterThanOrEqual(7);
  });

  it.each(MOMENTS)(
    '%s its n-th call: a repeat ends in one entry, and at most its own number is open',
    async (moment) => {
      const calls = await callsOfSend();
      for (let n = 1; n <= calls; n++) {
        const here = await scene();
        const crash = crashAt(here.stage.services, n, moment);
        const dead = await here.ana.request('message.send', here.body, crash.services);
        expect({ n, crashed: crash.crashed(), ok: dead.ok }).toEqual({ n, crashed: true, ok: false });
        const answer = await here.tablet.ok('message.send', here.body);
        await here.ben.send(here.group, 'behind');
        const { pending, voids, headSeq } = await expectOneEntry(here, answer);
        expect(pending.length).toBeLessThanOrEqual(1);
        expect(voids).toEqual([]);
        expect(headSeq).toBe(3 + pending.length);
        await here.stage.settled();
        const got = here.ben.events.flatMap(({ type, body }) => (type === 'entry' ? [body.id] : []));
        expect(got).toContain(answer.id);
      }
    },
  );

  it('and whose repeat dies at any step too: the third attempt ends in one entry', async () => {
    const calls = await callsOfSend();
    let pairs = 0;
    for (let first = 1; first <= calls; first++) {
      for (let second = 1; second <= calls; second++) {
        const here = await scene();
        await here.ana.request('message.send', here.body, crashAt(here.stage.services, first, 'after').services);
        await here.tablet.request('message.send', here.body, crashAt(here.stage.services, second, 'after').services);
        const answer = await here.ana.ok('message.send', here.body);
        const { pending } = await expectOneEntry(here, answer);
        expect(pending.length).toBeLessThanOrEqual(2);
        pairs++;
      }
    }
    expect(pairs).toBe(calls * calls);
  });
});

describe('a store that does not answer', () => {
  it.each(MOMENTS)(
    'the n-th call, lost %s it took effect: what is answered is right, and a repeat ends in one entry',
    async (moment) => {
      const calls = await callsOfSend();
      const outcomes: string[] = [];
      for (let n = 1; n <= calls; n++) {
        const here = await scene();
        const loss = loseAt(here.stage.services, n, moment);
        const frame: ReplyFrame<'message.send'> = await here.ana.request('message.send', here.body, loss.services);
        expect(loss.lost()).toBe(true);
        if (frame.ok) await expectOneEntry(here, frame.body);
        else expect(frame.error).toMatchObject({ code: 'UNAVAILABLE', temporary: true });
        outcomes.push(frame.ok ? 'ok' : frame.error.code);
        const answer = await here.tablet.ok('message.send', here.body);
        if (frame.ok) expect(answer).toEqual(frame.body);
        const { pending } = await expectOneEntry(here, answer);
        expect(pending.length).toBeLessThanOrEqual(1);
      }
      expect(outcomes).toContain('ok');
      expect(outcomes).toContain('UNAVAILABLE');
    },
  );

  it('inserts again by itself when the log did not answer, and finds what it had inserted', async () => {
    const here = await scene();
    let attempts = 0;
    const services = replace(here.stage.services, 'log', {
      insertIfAbsent: async ({ proceed }) => {
        const inserted = await proceed();
        if (++attempts < 3) throw new Unavailable('the answer was lost');
        return inserted;
      },
    });
    const answer = await here.ana.ok('message.send', here.body, services);
    expect(attempts).toBe(3);
    await expectOneEntry(here, answer);
  });

  it('leaves an entry to be published again unless heartbeats can tell of it', async () => {
    const here = await scene();
    const services = replace(here.stage.services, 'presence', {
      setHead: () => Promise.reject(new Unavailable('down')),
    });
    const { seq } = await here.ana.ok('message.send', here.body, services);
    const heads = { [here.group]: seq - 1 };
    here.stage.clock.advance(LIMITS.takingMs);
    expect((await here.ben.ok('heartbeat', { heads })).behind).toEqual([]);
    expect(await here.stage.presence.isMarked(`pub:${here.ana.keyOf(here.group)}:${seq}`)).toBe(false);
    await here.tablet.ok('message.send', here.body);
    expect((await here.ben.ok('heartbeat', { heads })).behind).toEqual([{ conversationId: here.group, headSeq: seq }]);
  });

  it('takes no reply away once the entry is in the log', async () => {
    const here = await scene();
    let isStored = false;
    const services = intercept(here.stage.services, async ({ port, proceed }) => {
      if (isStored) throw new Unavailable('everything is down');
      const answer = await proceed();
      isStored = port === 'log';
      return answer;
    });
    const answer = await here.ana.ok('message.send', here.body, services);
    expect(isStored).toBe(true);
    await expectOneEntry(here, answer);
    expect(here.ben.events.filter(({ type }) => type === 'entry')).toEqual([]);
    await here.tablet.ok('message.send', here.body);
    expect(here.ben.events.filter(({ type }) => type === 'entry')).toHaveLength(1);
  });
});
