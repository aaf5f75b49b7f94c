import { Client } from 'cassandra-driver';
import { KeyspacesMessageLog } from '../../lambdas/ports/message-log/keyspaces.ts';
import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import { STATEMENTS } from '../../lambdas/ports/message-log/statements.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { conversationKey } from '../../lambdas/runtime/keys.ts';
import { CASSANDRA_DATA_CENTER } from '../../local/engines/cassandra.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { createKeyspace } from '../../local/engines/keyspace.ts';
import { times, unique, WallClock } from '../contracts/contract.ts';
import { describeMessageLog } from '../contracts/message-log.ts';
import { describeWith } from '../require.ts';
import { retry } from './support/retry.ts';

const START_MS = 120_000;
const KEYSPACE = 'parley_test';
const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

jest.setTimeout(30_000);

describeWith('engines', 'the message log in Cassandra', () => {
  let engines: Engines<'cassandra'>;
  beforeAll(async () => {
    engines = await startEngines({ only: ['cassandra'] });
    await createKeyspace(engines.cassandra, KEYSPACE);
  }, START_MS);
  afterAll(() => engines.stop());

  const open = (more: { now?: () => number; timeoutMs?: number } = {}): KeyspacesMessageLog => {
    const { host, port } = engines.cassandra;
    return new KeyspacesMessageLog({
      contactPoints: [host],
      port,
      localDataCenter: CASSANDRA_DATA_CENTER,
      keyspace: KEYSPACE,
      ...more,
    });
  };

  describeMessageLog(
    'KeyspacesMessageLog',
    () => {
      const port = open();
      return Promise.resolve({ port, clock: new WallClock(), close: () => port.close() });
    },
    { exactTime: false },
  );

  describe('KeyspacesMessageLog', () => {
    let log: KeyspacesMessageLog;
    let cassandra: Client;
    beforeAll(() => {
      const { host, port } = engines.cassandra;
      log = open();
      cassandra = new Client({
        contactPoints: [`${host}:${port}`],
        localDataCenter: CASSANDRA_DATA_CENTER,
        keyspace: KEYSPACE,
      });
    });
    afterAll(async () => {
      await log.close();
      await cassandra.shutdown();
    });

    const rowOf = (id: string, more: Partial<LogRow> = {}): LogRow => ({
      conversation: conversationKey({ workspaceId: unique('w') }, 'c'),
      id,
      seq: 1,
      kind: 'message',
      senderId: 'ana',
      deviceId: 'phone',
      clientMessageId: '00000000-0000-4000-8000-000000000000',
      body: '{}',
      sentAtMs: Date.now(),
      expiresAtMs: Date.now() + YEAR_MS,
      ...more,
    });
    const secondsLeft = async ({ conversation }: LogRow): Promise<number> => {
      const { rows } = await cassandra.execute('SELECT TTL(body) AS left FROM messages WHERE conversation_id = ?', [
        conversation,
      ]);
      return (rows[0] as unknown as { left: number }).left;
    };

    it('reads the last 50 of a conversation by one read of one partition', async () => {
      const { conversation } = rowOf('1');
      for (let i = 1; i <= 60; i++) await log.insertIfAbsent(rowOf(String(i), { conversation, seq: i }));
      expect((await log.before(conversation, undefined, 50)).map(({ seq }) => seq)).toEqual(
        Array.from({ length: 50 }, (_, i) => 60 - i),
      );

      const traced = { prepare: true, traceQuery: true, fetchSize: 50 };
      const { info, rows } = await cassandra.execute(STATEMENTS.latest, [conversation], traced);
      expect(rows).toHaveLength(50);
      // The driver asks again until the trace is whole.
      const trace = await cassandra.metadata.getTrace(info.traceId);
      const { events } = trace as unknown as { events: { activity: string }[] };
      const reads = events.map(({ activity }) => activity).filter((activity) => activity.startsWith('Executing'));
      expect(reads).toEqual(['Executing single-partition query on messages']);
    });

    it('lets a row live just as long as it says', async () => {
      for (const ms of [YEAR_MS, 90_000]) {
        const row = rowOf('1', { expiresAtMs: Date.now() + ms });
        await log.insertIfAbsent(row);
        const left = await secondsLeft(row);
        expect(left).toBeLessThanOrEqual(ms / 1_000);
        expect(left).toBeGreaterThan(ms / 1_000 - 20);
      }
    });

    it('rewrites a row for just as long as it would have lived', async () => {
      for (const ms of [YEAR_MS, 90_000]) {
        const row = rowOf('1', { expiresAtMs: Date.now() + ms });
        await log.insertIfAbsent(row);
        await log.addEdit(row.conversation, '1', { id: '2', seq: 2 });
        await log.blank(row.conversation, '1');
        const { rows } = await cassandra.execute(
          'SELECT TTL(kind) AS kind, TTL(edits) AS edits FROM messages WHERE conversation_id = ?',
          [row.conversation],
        );
        const { kind, edits } = rows[0] as unknown as { kind: number; edits: number[] };
        for (const left of [kind, ...edits]) {
          expect(left).toBeLessThanOrEqual(ms / 1_000);
          expect(left).toBeGreaterThan(ms / 1_000 - 20);
        }
      }
    });

    it('leaves no byte of a body that was blanked, not even for those who read the column itself', async () => {
      const row = rowOf('1');
      await log.insertIfAbsent(row);
      await log.blank(row.conversation, '1');
      const { rows } = await cassandra.execute('SELECT body FROM messages WHERE conversation_id = ?', [
        row.conversation,
      ]);
      expect(rows.map((found) => (found as unknown as { body: Buffer | null }).body)).toEqual([null]);
    });

    it('keeps no row for ever, not even one that has ended already', async () => {
      const row = rowOf('1', { expiresAtMs: Date.now() - 1 });
      expect(await log.insertIfAbsent(row)).toEqual({ applied: true });
      const { rows } = await cassandra.execute('SELECT TTL(kind) AS left FROM messages WHERE conversation_id = ?', [
        row.conversation,
      ]);
      expect(rows.every((found) => (found as unknown as { left: number }).left === 1)).toBe(true);
      expect(await log.get(row.conversation, '1')).toBeUndefined();
    });

    it('applies one of fifty inserts at the same moment, from two clients, and shows that one to all', async () => {
      const other = open();
      const first = rowOf('7');
      const rows = times(50, (i) => ({ ...first, seq: i + 1, senderId: `user${i}` }));
      try {
        const insertions = await Promise.all(rows.map((row, i) => (i % 2 ? log : other).insertIfAbsent(row)));
        const applied = rows.filter((_, i) => insertions[i]!.applied);
        expect(applied).toHaveLength(1);
        for (const insertion of insertions) if (!insertion.applied) expect(insertion.existing).toEqual(applied[0]);
        expect(await log.before(first.conversation, undefined, 10)).toEqual(applied);
      } finally {
        await other.close();
      }
    });

    it('fills a page although many rows of the stretch have ended', async () => {
      const row = rowOf('1');
      const rows = times(30, (i) => ({
        ...row,
        id: String(i + 1),
        seq: i + 1,
        expiresAtMs: Date.now() + (i < 25 ? 60_000 : YEAR_MS),
      }));
      for (const one of rows) await log.insertIfAbsent(one);
      const later = open({ now: () => Date.now() + 120_000 });
      try {
        expect(await later.after(row.conversation, '0', 3)).toEqual(rows.slice(25, 28));
        expect(await later.before(row.conversation, '27', 5)).toEqual([rows[25]]);
      } finally {
        await later.close();
      }
    });

    it('refuses by a name of its own what does not answer', async () => {
      const nowhere = new KeyspacesMessageLog({
        contactPoints: ['127.0.0.1'],
        port: 1,
        localDataCenter: CASSANDRA_DATA_CENTER,
        keyspace: KEYSPACE,
      });
      await expect(nowhere.insertIfAbsent(rowOf('1'))).rejects.toThrow(Unavailable);
      await expect(nowhere.get(rowOf('1').conversation, '1')).rejects.toThrow(Unavailable);
      await nowhere.close();
    });

    it(
      'has on the disk what it has acknowledged, whatever happens to the server, and works again with it',
      async () => {
        const row = rowOf('1');
        const rows = times(20, (i) => ({ ...row, id: String(i + 1), seq: i + 1 }));
        for (const one of rows) await log.insertIfAbsent(one);
        // The driver forgets to end what it had of a host that was away.
        await cassandra.shutdown();
        await engines.cassandra.kill();
        await expect(log.insertIfAbsent({ ...row, id: '99' })).rejects.toThrow(Unavailable);
        await engines.cassandra.start();
        const again = open();
        try {
          expect(await again.after(row.conversation, '0', 50)).toEqual(rows);
        } finally {
          await again.close();
        }
        expect(await retry(() => log.get(row.conversation, '20'))).toEqual(rows[19]);
      },
      START_MS,
    );
  });
});
