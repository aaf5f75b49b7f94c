import type { EventBody } from '@parley/protocol';
import { replace } from './support/intercept.ts';
import { randomFrom, Shuffle } from './support/shuffle.ts';
import { Stage, type Socket } from './support/stage.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';

let stage: Stage;
let ana: Socket;
let ben: Socket;
let group: string;

beforeEach(async () => {
  stage = new Stage();
  ana = await stage.connect('ana');
  ben = await stage.connect('ben');
  group = await stage.group(ana, ben);
  for (let i = 0; i < 10; i++) await ana.send(group);
  await stage.settled();
});

const set = (receipt: object, socket = ben) => socket.ok('receipt.set', { conversationId: group, ...receipt });
const receiptsAt = (socket: Socket): EventBody<'receipt'>[] =>
  socket.events.flatMap(({ type, body }) => (type === 'receipt' ? [body] : []));

describe('receipt.set', () => {
  it('raises what has come and what is read, and answers what now holds', async () => {
    expect(await set({ deliveredSeq: 4 })).toEqual({ deliveredSeq: 4, readSeq: 0 });
    expect(await set({ readSeq: 2 })).toEqual({ deliveredSeq: 4, readSeq: 2 });
    expect(await set({ deliveredSeq: 9, readSeq: 5 })).toEqual({ deliveredSeq: 9, readSeq: 5 });
  });

  it('never goes back, and tells nobody of what is no news', async () => {
    await set({ deliveredSeq: 10, readSeq: 10 });
    await stage.settled();
    expect(receiptsAt(ana)).toHaveLength(1);
    for (const late of [{ deliveredSeq: 5, readSeq: 5 }, { readSeq: 10 }, { deliveredSeq: 0 }, {}]) {
      expect(await set(late)).toEqual({ deliveredSeq: 10, readSeq: 10 });
    }
    await stage.settled();
    expect(receiptsAt(ana)).toHaveLength(1);
  });

  it('knows that what is read has come', async () => {
    expect(await set({ readSeq: 7 })).toEqual({ deliveredSeq: 7, readSeq: 7 });
    expect(await set({ deliveredSeq: 3, readSeq: 8 })).toEqual({ deliveredSeq: 8, readSeq: 8 });
  });

  it('does not pass the newest entry', async () => {
    for (const [field, seq] of Object.entries({ deliveredSeq: 11, readSeq: 11 })) {
      const error = await ben.refused('receipt.set', { conversationId: group, [field]: seq });
      expect(error).toMatchObject({ code: 'VALIDATION_FAILED', message: `${field} lies beyond the newest entry.` });
    }
    expect(await set({})).toEqual({ deliveredSeq: 0, readSeq: 0 });
  });

  it('only rises under receipts that come at once and in any order', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = randomFrom(seed);
      const services = new Shuffle(seed).wrap(stage.services);
      const socket = await stage.connect(`user${seed}`);
      const own = await stage.group(ana, socket);
      for (let i = 0; i < 5; i++) await ana.send(own);
      stage.clock.advance(10_000);
      const wanted = Array.from({ length: 12 }, () => ({
        deliveredSeq: Math.floor(random() * 6),
        readSeq: Math.floor(random() * 6),
      }));
      await Promise.all(
        wanted.map(async (receipt) => {
          const now = await socket.ok('receipt.set', { conversationId: own, ...receipt }, services);
          expect(now.readSeq).toBeGreaterThanOrEqual(receipt.readSeq);
          expect(now.deliveredSeq).toBeGreaterThanOrEqual(Math.max(receipt.deliveredSeq, now.readSeq));
        }),
      );
      const readSeq = Math.max(...wanted.map((one) => one.readSeq));
      const deliveredSeq = Math.max(readSeq, ...wanted.map((one) => one.deliveredSeq));
      expect(await socket.ok('receipt.set', { conversationId: own })).toEqual({ deliveredSeq, readSeq });
    }
  });

  it('tells the other members, on every connection, and not the one who has read', async () => {
    const tablet = await stage.connect('ana', { deviceId: 'tablet' });
    await set({ readSeq: 3 });
    await stage.settled();
    const told = { conversationId: group, userId: 'ben', deliveredSeq: 3, readSeq: 3 };
    expect([receiptsAt(ana), receiptsAt(tablet), receiptsAt(ben)]).toEqual([[told], [told], []]);
  });

  it('tells nobody in a conversation of more than 32, where receipts.get answers instead', async () => {
    const crowd = await Promise.all(Array.from({ length: 31 }, (_, i) => stage.connect(`user${i}`)));
    const large = await stage.group(ana, ben, ...crowd);
    const inlined = await stage.group(ana, ben, ...crowd.slice(1));
    for (const conversationId of [large, inlined]) {
      await ana.send(conversationId);
      await ben.ok('receipt.set', { conversationId, readSeq: 1 });
    }
    await stage.settled();
    expect(receiptsAt(ana).map(({ conversationId }) => conversationId)).toEqual([inlined]);
    const { receipts } = await ana.ok('receipts.get', { conversationId: large });
    expect(receipts.find(({ userId }) => userId === 'ben')).toEqual({ userId: 'ben', deliveredSeq: 1, readSeq: 1 });
  });

  it('holds even when nobody can be told', async () => {
    const services = replace(stage.services, 'stream', { publish: () => Promise.reject(new Unavailable('down')) });
    expect(await ben.ok('receipt.set', { conversationId: group, readSeq: 1 }, services)).toMatchObject({ readSeq: 1 });
  });
});

describe('receipts.get', () => {
  it('answers how far each member is, a page at a time', async () => {
    const crowd = await Promise.all(Array.from({ length: 148 }, (_, i) => stage.connect(`user${i}`)));
    const large = await stage.group(ana, ben, ...crowd);
    await ana.send(large);
    await ben.ok('receipt.set', { conversationId: large, readSeq: 1 });
    const first = await ana.ok('receipts.get', { conversationId: large });
    const second = await ana.ok('receipts.get', { conversationId: large, page: first.nextPage });
    const all = [...first.receipts, ...second.receipts];
    expect([first.receipts.length, all.length, second.nextPage]).toEqual([100, 150, undefined]);
    expect(new Set(all.map(({ userId }) => userId)).size).toBe(150);
    expect(all.filter(({ readSeq }) => readSeq > 0)).toEqual([{ userId: 'ben', deliveredSeq: 1, readSeq: 1 }]);
  });

  it('refuses a page that it never gave', async () => {
    const error = await ana.refused('receipts.get', { conversationId: group, page: '_' });
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});
