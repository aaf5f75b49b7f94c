import { randomUUID } from 'node:crypto';
import { LIMITS, type Reply, type ReplyFrame } from '@parley/protocol';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import type { DedupeKey, DedupeRow } from '../../lambdas/ports/directory/port.ts';
import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import { audit } from './support/audit.ts';
import { intercept, replace } from './support/intercept.ts';
import { Shuffle } from './support/shuffle.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);

let stage: Stage;
let ana: Socket;
let tablet: Socket;
let ben: Socket;
let group: string;

async function setTheStage(): Promise<void> {
  stage = new Stage();
  ana = await stage.connect('ana');
  tablet = await stage.connect('ana', { deviceId: 'tablet' });
  ben = await stage.connect('ben');
  group = await stage.group(ana, ben);
}

beforeEach(setTheStage);

/** A row at the moment of an answer: what is answered must be in the log by then. */
async function answeredAndStored(socket: Socket, body: object, shuffle: Shuffle): Promise<Reply<'message.send'>> {
  const answer = await socket.ok('message.send', body, shuffle.wrap(stage.services));
  expect(await stage.log.get(socket.keyOf(group), answer.id)).toMatchObject({ kind: 'message', seq: answer.seq });
  return answer;
}

describe('the same send at the same moment', () => {
  it('ends in one entry and the same answer for all, in every order; the numbers of the losers are void', async () => {
    const losers = new Set<number>();
    for (const seed of SEEDS) {
      await setTheStage();
      const shuffle = new Shuffle(seed);
      const body = sendBody(group, 'the one');
      const sockets = [ana, tablet, ana, tablet, ana, tablet];
      const answers = await Promise.all(sockets.map((socket) => answeredAndStored(socket, body, shuffle)));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      const { messages, pending, voids, headSeq } = await audit(stage, ana.keyOf(group), 'ana');
      expect(messages.map(({ id }) => id)).toEqual([answers[0]?.id]);
      expect(pending).toEqual([]);
      expect(voids).toHaveLength(headSeq - 1);
      losers.add(voids.length);
    }
    // The orders were different ones, and some of them made losers.
    expect(losers.size).toBeGreaterThan(2);
  });

  it('is a conflict for whoever says something else, and only for them', async () => {
    for (const seed of SEEDS.slice(0, 20)) {
      await setTheStage();
      const services = new Shuffle(seed).wrap(stage.services);
      const clientMessageId = randomUUID();
      const frames: ReplyFrame<'message.send'>[] = await Promise.all(
        ['this', 'that', 'this', 'that'].map((text) =>
          ana.request('message.send', sendBody(group, text, { clientMessageId }), services),
        ),
      );
      const outcomes = frames.map((frame) => (frame.ok ? frame.body.id : frame.error.code));
      const { messages, pending } = await audit(stage, ana.keyOf(group), 'ana');
      expect(messages).toHaveLength(1);
      expect(pending).toEqual([]);
      const won = messages[0]!.body!.includes('this') ? 0 : 1;
      outcomes.forEach((outcome, i) => expect(outcome).toBe(i % 2 === won ? messages[0]!.id : 'CONFLICT'));
    }
  });

  it('beside other sends leaves every message in the log once, in one order', async () => {
    for (const seed of SEEDS.slice(0, 20)) {
      await setTheStage();
      const shuffle = new Shuffle(seed);
      const bodies = Array.from({ length: 5 }, (_, i) => sendBody(group, `text ${i}`));
      const work = bodies.flatMap((body) => [
        answeredAndStored(ana, body, shuffle),
        answeredAndStored(tablet, body, shuffle),
        answeredAndStored(ben, body, shuffle),
      ]);
      const answers = await Promise.all(work);
      const { messages, pending } = await audit(stage, ana.keyOf(group), 'ana');
      expect(messages).toHaveLength(10);
      expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(messages.map(({ id }) => id)));
      expect(pending).toEqual([]);
    }
  });
});

describe('what another attempt left behind', () => {
  let key: DedupeKey;
  let body: ReturnType<typeof sendBody>;

  beforeEach(() => {
    body = sendBody(group, 'the one');
    key = { conversation: ana.keyOf(group), userId: 'ana', clientKey: body.clientMessageId };
  });

  /** Holds the insert of an attempt back until `release` is called. */
  async function frozenBeforeInsert() {
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let reached!: (row: LogRow) => void;
    const arrived = new Promise<LogRow>((resolve) => (reached = resolve));
    const services = replace(stage.services, 'log', {
      insertIfAbsent: async ({ args, proceed }) => {
        reached(args[0] as LogRow);
        await gate;
        return proceed();
      },
    });
    const answer = ana.ok('message.send', body, services);
    return { row: await arrived, release, answer };
  }

  async function declareVoid({ conversation, id, seq }: LogRow): Promise<void> {
    const sentAtMs = stage.clock.now();
    const expiresAtMs = sentAtMs + LIMITS.entryTtlMs;
    const insertion = await stage.log.insertIfAbsent({ conversation, id, seq, kind: 'void', sentAtMs, expiresAtMs });
    expect(insertion).toEqual({ applied: true });
  }

  const logIsDown = () =>
    replace(stage.services, 'log', { insertIfAbsent: () => Promise.reject(new Unavailable('the log is down')) });

  it('is inserted before a repeat is answered: a reserved number is no entry yet', async () => {
    const frozen = await frozenBeforeInsert();
    expect(await tablet.refused('message.send', body, logIsDown())).toMatchObject({ code: 'UNAVAILABLE' });
    const answer = await tablet.ok('message.send', body);
    expect(answer).toMatchObject({ id: frozen.row.id, seq: frozen.row.seq });
    expect(await stage.log.get(key.conversation, answer.id)).toMatchObject({ kind: 'message' });
    frozen.release();
    expect(await frozen.answer).toEqual(answer);
  });

  it('is inserted before the loser of the reservation is answered', async () => {
    let rival: DedupeRow | undefined;
    const losing = (services = stage.services) =>
      replace(services, 'directory', {
        reserve: async ({ args, proceed }) => {
          const own = args[1] as DedupeRow;
          const request = { conversation: key.conversation, id: '1', step: 1, nonce: 'rival', rosterVersion: 1 };
          const taken = await stage.directory.takeNumber(request);
          if (taken.taken) rival ??= { ...own, id: taken.id, seq: taken.seq };
          await stage.directory.reserve(key, rival!);
          return proceed();
        },
      });
    expect(await ana.refused('message.send', body, losing(logIsDown()))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await stage.log.get(key.conversation, rival!.id)).toBeUndefined();
    const answer = await ana.ok('message.send', body);
    expect(answer).toMatchObject({ id: rival!.id, seq: rival!.seq });
    expect(await stage.log.get(key.conversation, answer.id)).toMatchObject({ kind: 'message' });
  });

  it('makes a void number of the one that a loser took', async () => {
    const lost: DedupeRow[] = [];
    const services = replace(stage.services, 'directory', {
      reserve: async ({ args, proceed }) => {
        const own = args[1] as DedupeRow;
        lost.push(own);
        await tablet.ok('message.send', body);
        return proceed();
      },
    });
    const answer = await ana.ok('message.send', body, services);
    const { messages, voids } = await audit(stage, key.conversation, 'ana');
    expect(messages.map(({ id }) => id)).toEqual([answer.id]);
    expect(voids).toEqual(lost.map(({ seq }) => seq));
  });

  it('takes a new number when its own was declared void, and every later repeat gets that one', async () => {
    const frozen = await frozenBeforeInsert();
    await declareVoid(frozen.row);
    await ben.send(group, 'meanwhile');
    frozen.release();
    const answer = await frozen.answer;
    expect({ first: frozen.row.seq, now: answer.seq }).toEqual({ first: 1, now: 3 });
    expect(await stage.log.get(key.conversation, frozen.row.id)).toMatchObject({ kind: 'void' });
    expect(await tablet.ok('message.send', body)).toEqual(answer);
    expect((await audit(stage, key.conversation, 'ana')).pending).toEqual([]);
  });

  it('makes a void number of the one that the loser of a move took', async () => {
    const frozen = await frozenBeforeInsert();
    await declareVoid(frozen.row);
    const lost: DedupeRow[] = [];
    const services = replace(stage.services, 'directory', {
      repoint: async ({ args, proceed }) => {
        lost.push(args[2] as DedupeRow);
        await tablet.ok('message.send', body);
        return proceed();
      },
    });
    const answer = await ana.ok('message.send', body, services);
    frozen.release();
    expect(await frozen.answer).toEqual(answer);
    const { messages, voids, pending } = await audit(stage, key.conversation, 'ana');
    expect(messages.map(({ id }) => id)).toEqual([answer.id]);
    expect(lost).toHaveLength(1);
    expect(voids).toContain(lost[0]!.seq);
    expect(pending).toEqual([]);
  });

  it('lets a repeat and a late sender meet at one new number after a void', async () => {
    for (const seed of SEEDS.slice(0, 20)) {
      await setTheStage();
      body = sendBody(group, 'the one');
      const frozen = await frozenBeforeInsert();
      await declareVoid(frozen.row);
      const services = new Shuffle(seed).wrap(stage.services);
      frozen.release();
      const repeats = [ana, tablet, ana].map((socket) => socket.ok('message.send', body, services));
      const answers = await Promise.all([frozen.answer, ...repeats]);
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      const { messages, pending } = await audit(stage, ana.keyOf(group), 'ana');
      expect(messages.map(({ id }) => id)).toEqual([answers[0].id]);
      expect(pending).toEqual([]);
    }
  });

  it('gives up for now when every number becomes void under its hands', async () => {
    const services = replace(stage.services, 'log', {
      insertIfAbsent: async ({ args, proceed }) => {
        const row = args[0] as LogRow;
        if (row.kind === 'message') await declareVoid(row);
        return proceed();
      },
    });
    expect(await ana.refused('message.send', body, services)).toMatchObject({ code: 'UNAVAILABLE' });
    expect((await ana.ok('message.send', body)).seq).toBeGreaterThan(LIMITS.appendAttemptsMax);
    const { messages, pending } = await audit(stage, key.conversation, 'ana');
    expect(messages).toHaveLength(1);
    expect(pending).toEqual([]);
  });

  it('is its own number only by its nonce: another sender may have chosen the same id', async () => {
    let isFirst = true;
    const services = intercept(stage.services, async ({ method, args, proceed }) => {
      if (method !== 'takeNumber' || !isFirst) return proceed();
      isFirst = false;
      await stage.directory.takeNumber({
        ...(args[0] as Parameters<typeof stage.directory.takeNumber>[0]),
        nonce: 'rival',
      });
      throw new Unavailable('the request was lost');
    });
    const answer = await ana.ok('message.send', body, services);
    expect(answer.seq).toBe(2);
    expect((await audit(stage, key.conversation, 'ana')).pending).toEqual([1]);
  });

  it('is found again when only the answer to taking the number was lost', async () => {
    let isFirst = true;
    const services = intercept(stage.services, async ({ method, proceed }) => {
      const answer = await proceed();
      if (method !== 'takeNumber' || !isFirst) return answer;
      isFirst = false;
      throw new Unavailable('the answer was lost');
    });
    expect((await ana.ok('message.send', body, services)).seq).toBe(1);
    expect(isFirst).toBe(false);
  });
});
