import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { startEngines } from '../../local/engines/engines.ts';
import { enginesHome } from '../../local/engines/fetch.ts';
import type { EngineProblem } from '../../local/engines/problem.ts';
import type { EngineName } from '../../local/engines/tools.ts';
import { createTopics } from '../../local/engines/topics.ts';
import { until } from '../contracts/contract.ts';
import { describeWith } from '../require.ts';
import { makeBench, processesWith, type Bench } from './support/machine.ts';

jest.setTimeout(120_000);

describeWith('engines', 'an engine whose disk is full', () => {
  describeWith('mounts', 'on a file system of its own', () => {
    let bench: Bench;
    let disk: string;
    beforeEach(() => {
      bench = makeBench();
      disk = bench.path('disk');
      mkdirSync(disk);
    });
    afterEach(() => {
      // Lazily: what has just ended may hold it for a moment.
      execFileSync('umount', ['-l', disk]);
      bench.remove();
    });

    const mount = (megabytes: number): unknown =>
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk]);
    const fill = (): void => {
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(`${disk}/filler`, Buffer.alloc(bavail * bsize));
    };
    const lineOf = (title: string, name: EngineName, dir = disk): string =>
      `${title} found no space left on the disk of ${dir}/${name}: free some and start again.`;

    it.each([
      ['Cassandra 5.0.6', 'cassandra'],
      ['Kafka 4.3.1', 'kafka'],
      ['redis-server', 'redis'],
    ] as const)('says so in a line when there is nothing left to begin with: %s', async (title, name) => {
      mount(1);
      fill();
      await expect(startEngines({ only: [name], dir: disk })).rejects.toThrow(new Error(lineOf(title, name)));
      expect(processesWith(disk)).toEqual([]);
    });

    it('says so when it ends in the middle of its work, in place of its exit code', async () => {
      mount(30);
      const deaths: EngineProblem[] = [];
      const { kafka, stop } = await startEngines({
        only: ['kafka'],
        dir: disk,
        onDeath: (problem) => deaths.push(problem),
      });
      fill();
      const creating = createTopics(kafka, { 'conversation-events': 1, signals: 1 }).catch(() => undefined);
      await until(() => deaths.length > 0);
      await creating;
      await stop();
      expect(deaths.map(({ message }) => message)).toEqual([lineOf('Kafka 4.3.1', 'kafka')]);
      expect(processesWith(disk)).toEqual([]);
    });

    it('ends npm run engines with that line alone, and nothing is left of the others', async () => {
      // Enough for all but Cassandra, which finds out while it starts.
      mount(40);
      for (const name of ['jars', 'python']) symlinkSync(`${enginesHome()}/${name}`, `${disk}/${name}`);
      const main = spawn(process.execPath, ['--conditions=parley-source', '--import', 'tsx', 'local/engines/main.ts'], {
        env: { ...process.env, PARLEY_ENGINES_DIR: disk },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = text(main.stderr);
      const [code] = (await once(main, 'exit')) as [number];
      const [line = ''] = (await said).trim().split('\n').slice(-1);
      expect({ code, lines: (await said).trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
      const dir = /disk of (\S+)\/cassandra:/.exec(line)?.[1] ?? '';
      expect(dir).toContain(`${disk}/runs/${main.pid}-`);
      expect(line).toBe(lineOf('Cassandra 5.0.6', 'cassandra', dir));
      expect(processesWith(disk)).toEqual([]);
    });
  });
});
