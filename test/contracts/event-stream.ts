import type { MSKEvent } from 'aws-lambda';
import type { EventStream, ParkedRecord, TopicRecords } from '../../lambdas/ports/event-stream/port.ts';
import { userKey } from '../../lambdas/runtime/keys.ts';
import { times, unique, until } from './contract.ts';

/** A stream with its consumer: for engines, what stands for the event source mapping. */
export interface OpenedStream {
  readonly port: EventStream;
  /** From now on `consumer` gets every batch; one that throws gets that batch again. Called once. */
  consume(consumer: (event: MSKEvent) => Promise<unknown>): void;
  /** Records that were put aside, as far as the engine can tell. */
  parked(): Promise<readonly ParkedRecord[]>;
  close(): Promise<void>;
}

type Signal = TopicRecords['signals'];

/** One suite for every `EventStream`. Each test has a stream of its own. */
export function describeEventStream(name: string, open: () => Promise<OpenedStream>): void {
  describe(`${name} keeps the EventStream contract`, () => {
    let stream: OpenedStream;
    let seen: { key: string; n: number }[];
    let events: MSKEvent[];

    beforeEach(async () => {
      stream = await open();
      seen = [];
      events = [];
    });
    afterEach(() => stream.close());

    const signalOf = (n: number): Signal => ({
      v: 1,
      type: 'users',
      users: [userKey({ workspaceId: 'w' }, 'ana')],
      event: { type: 'presence', body: { userId: 'ana', state: 'online', lastSeenAtMs: n } },
    });
    const publish = (key: string, n: number) => stream.port.publish('signals', key, signalOf(n));
    const read = (event: MSKEvent): { key: string; n: number }[] =>
      Object.values(event.records)
        .flat()
        .map(({ key, value }) => {
          const record = JSON.parse(Buffer.from(value, 'base64').toString()) as Signal & { type: 'users' };
          const body = record.event.body as { lastSeenAtMs: number };
          return { key: Buffer.from(key, 'base64').toString(), n: body.lastSeenAtMs };
        });
    const collect = (event: MSKEvent): Promise<void> => {
      events.push(event);
      seen.push(...read(event));
      return Promise.resolve();
    };
    const numbersOf = (key: string): number[] => seen.filter((one) => one.key === key).map(({ n }) => n);

    it('hands every record over as Lambda gets it from Kafka', async () => {
      const key = unique();
      stream.consume(collect);
      await publish(key, 1);
      await until(() => seen.length > 0);
      const [[partition, records]] = Object.entries(events[0]!.records) as [[string, MSKEvent['records'][string]]];
      expect(events[0]).toMatchObject({ eventSource: 'aws:kafka' });
      const [record] = records;
      expect(partition).toBe(`signals-${record!.partition}`);
      expect(record).toMatchObject({
        topic: 'signals',
        offset: expect.any(Number) as number,
        key: Buffer.from(key).toString('base64'),
      });
      expect(JSON.parse(Buffer.from(record!.value, 'base64').toString())).toEqual(signalOf(1));
    });

    it('keeps the records of one key in the order of their calls', async () => {
      const keys = times(10, () => unique());
      stream.consume(collect);
      for (let n = 1; n <= 30; n++) await Promise.all(keys.map((key) => publish(key, n)));
      await until(() => seen.length >= 300);
      for (const key of keys) expect(numbersOf(key)).toEqual(times(30, (i) => i + 1));
    });

    it('keeps what was published before anybody consumed', async () => {
      const key = unique();
      for (let n = 1; n <= 3; n++) await publish(key, n);
      stream.consume(collect);
      await until(() => seen.length >= 3);
      expect(numbersOf(key)).toEqual([1, 2, 3]);
    });

    it('hands a batch that failed over again, before those behind it', async () => {
      const key = unique();
      let failures = 0;
      stream.consume(async (event) => {
        const batch = read(event).filter((one) => one.key === key);
        if (batch.some(({ n }) => n === 2) && failures < 3) {
          failures++;
          throw new Error('not now');
        }
        await collect(event);
      });
      for (let n = 1; n <= 5; n++) await publish(key, n);
      await until(() => numbersOf(key).includes(5));
      expect(failures).toBe(3);
      expect([...new Set(numbersOf(key))]).toEqual([1, 2, 3, 4, 5]);
    });

    it('loses no record that is published while a batch is at work', async () => {
      const key = unique();
      let published: Promise<void> | undefined;
      stream.consume(async (event) => {
        published ??= publish(key, 2);
        await published;
        await collect(event);
      });
      await publish(key, 1);
      await until(() => seen.length >= 2);
      expect(numbersOf(key)).toEqual([1, 2]);
    });

    it('has one batch of a key at work at a time', async () => {
      const key = unique();
      let atWork = 0;
      let most = 0;
      stream.consume(async (event) => {
        most = Math.max(most, ++atWork);
        await new Promise(setImmediate);
        await collect(event);
        atWork--;
      });
      for (let n = 1; n <= 20; n++) await publish(key, n);
      await until(() => seen.length >= 20);
      expect([most, numbersOf(key)]).toEqual([1, times(20, (i) => i + 1)]);
    });

    it('does not let a key that fails hold up all others', async () => {
      const [stuck, ...keys] = times(30, () => unique());
      stream.consume(async (event) => {
        if (read(event).some(({ key }) => key === stuck)) throw new Error('never');
        await collect(event);
      });
      await publish(stuck!, 1);
      for (const key of keys) await publish(key, 1);
      await until(() => seen.length >= 10);
      expect(numbersOf(stuck!)).toEqual([]);
    });

    it('keeps text of any script as it is, and topics apart', async () => {
      const conversation = unique() as TopicRecords['conversation-events']['conversation'];
      const event = {
        type: 'typing',
        body: { conversationId: 'c', userId: 'ana', typing: true, expiresAtMs: 1 },
      } as const;
      const record: Signal = { v: 1, type: 'users', users: [userKey({ workspaceId: 'w' }, 'e\u0301\u{1F469}')], event };
      const values: [string, unknown][] = [];
      stream.consume((batch) => {
        for (const one of Object.values(batch.records).flat()) {
          values.push([one.topic, JSON.parse(Buffer.from(one.value, 'base64').toString()) as unknown]);
        }
        return Promise.resolve();
      });
      const entry = { conversationId: 'c', id: '1', seq: 1, kind: 'void' } as const;
      const other = { v: 1, type: 'entry', conversation, entry, served: 'all' } as const;
      await stream.port.publish('signals', conversation, record);
      await stream.port.publish('conversation-events', conversation, other);
      await until(() => values.length >= 2);
      expect(new Map(values)).toEqual(
        new Map<string, unknown>([
          ['signals', record],
          ['conversation-events', other],
        ]),
      );
    });

    it('puts a record aside with what finds it again', async () => {
      const record: ParkedRecord = {
        topic: 'signals',
        partition: 3,
        offset: 7,
        conversation: 'w/c',
        id: '9',
        seq: 2,
        code: 'INTERNAL',
      };
      await stream.port.park(record);
      expect(await stream.parked()).toContainEqual(record);
    });
  });
}
