import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'cassandra-driver';
import { CASSANDRA_DATA_CENTER } from '../../../local/engines/cassandra.ts';
import { operationsOf } from '../history/questions.ts';
import type { Lab } from '../harness/lab.ts';
import { Traffic } from '../harness/traffic.ts';
import { until } from '../harness/until.ts';
import type { Fault } from './fault.ts';

const FULL_MS = 6_000;
const FILE_MAX_BYTES = 4_096;
/** What was answered at that very moment may still be on its way to the device. */
const ON_ITS_WAY_MS = 500;
const ROW = 'x'.repeat(128 * 1_024);
/** More than the files that Cassandra has in stock. */
const ROWS_MAX = 400;

/** The engine writes nothing more, as on a full disk, until it is started again. */
function fullDiskOf(
  engine: 'cassandra' | 'kafka',
  asserts: string,
  prepare: (lab: Lab) => Promise<() => Promise<void>>,
): Fault {
  return {
    id: `R-23-${engine}`,
    title: `${engine} can write nothing more to its disk`,
    hypothesis:
      'It answers no write that is not on the disk, and gives up; started again it has everything that it answered.',
    schedule: `People write; no file of ${engine} may grow (RLIMIT_FSIZE), and what it has in stock is written full; ${FULL_MS / 1_000} s later it is ended, if it has not given up, and started on its data.`,
    asserts,
    async run(run, lab) {
      const devices = [await run.sdk('ana'), await run.sdk('ben')];
      const conversationId = await run.group('ana', 'ben');
      const fill = await prepare(lab);
      const traffic = new Traffic(devices, [conversationId], 120);
      await wait(1_500);
      const end = run.history.begin(`disk of ${engine} full`);
      const commitLog = join(storageOf(lab.engines.pidOf('cassandra')), 'commitlog');
      execFileSync('prlimit', ['--pid', String(lab.engines.pidOf(engine)), `--fsize=${FILE_MAX_BYTES}`]);
      await fill();
      const fullAtMs = Date.now();
      await wait(FULL_MS);
      const toMs = Date.now();
      const answered = operationsOf(run.history.operations, 'send', 'ok').filter(
        ({ atMs }) => atMs > fullAtMs + ON_ITS_WAY_MS && atMs < toMs,
      ).length;
      run.figure(`${answered} sends answered in ${FULL_MS / 1_000} s while the disk was full`);
      if (engine === 'cassandra')
        run.expect(answered === 0, `${answered} sends were answered while nothing could be written`);
      else run.expect(answered > 0, 'nothing was answered');
      await lab.engines.kill(engine);
      if (engine === 'cassandra') removeStubs(commitLog);
      await lab.engines.start(engine);
      end();
      await wait(1_000);
      await traffic.stop();
    },
  };
}

/** Where that Cassandra has its files. */
function storageOf(pid: number): string {
  return /-Dcassandra\.storagedir=([^\0]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1] ?? '';
}

/** What its keeper does: a file of the commit log that could not be made has no beginning, and Cassandra does not start over it. */
function removeStubs(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (statSync(join(dir, name)).size <= FILE_MAX_BYTES) rmSync(join(dir, name));
  }
}

export const R23: readonly Fault[] = [
  fullDiskOf(
    'cassandra',
    'A write to Cassandra itself fails, and from then on no send is answered.',
    async ({ engines }) => {
      const { host, port } = engines.addressOf('cassandra');
      const client = new Client({ contactPoints: [`${host}:${port}`], localDataCenter: CASSANDRA_DATA_CENTER });
      // Before: it writes its schema to files at once, and would not start over half of one.
      await client.execute(
        "CREATE KEYSPACE IF NOT EXISTS filler WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
      );
      await client.execute('CREATE TABLE IF NOT EXISTS filler.rows (id int PRIMARY KEY, text text)');
      return async () => {
        try {
          for (let id = 0; id < ROWS_MAX; id++) {
            await client.execute('INSERT INTO filler.rows (id, text) VALUES (?, ?)', [id, ROW], { prepare: true });
          }
        } catch {
          // As it should.
          return;
        } finally {
          await client.shutdown();
        }
        throw new Error('Cassandra took everything: its disk was not full');
      };
    },
  ),
  fullDiskOf('kafka', 'Kafka takes no record any more, and sends are answered all the same.', ({ stream }) => {
    const isRefused = (): Promise<boolean> =>
      stream.produce('signals', [{ key: Buffer.from('full'), value: Buffer.from('null') }]).then(
        () => false,
        () => true,
      );
    return Promise.resolve(() => until(isRefused, 'Kafka refuses a record'));
  }),
];
