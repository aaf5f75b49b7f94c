import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { cassandra } from '../../local/engines/cassandra.ts';
import { dynamodb } from '../../local/engines/dynamodb.ts';
import { Engine, type EngineKind } from '../../local/engines/engine.ts';
import { fetchJars, JVM_ENGINES, type JvmEngine } from '../../local/engines/jars.ts';
import { kafka } from '../../local/engines/kafka.ts';
import { ministack } from '../../local/engines/ministack.ts';
import { EngineProblem } from '../../local/engines/problem.ts';
import { fetchMinistack } from '../../local/engines/python.ts';
import { redis } from '../../local/engines/redis.ts';
import { requireEngineTools, type EngineName, type EngineTools } from '../../local/engines/tools.ts';
import { describeWith } from '../require.ts';
import { makeBench, processesWith, type Bench } from './support/machine.ts';

const KINDS: Readonly<Record<EngineName, EngineKind>> = { cassandra, kafka, dynamodb, redis, ministack };

jest.setTimeout(120_000);

describeWith('engines', 'one engine', () => {
  let tools: EngineTools;
  let bench: Bench;
  beforeAll(() => {
    tools = requireEngineTools();
  });
  beforeEach(() => {
    bench = makeBench();
  });
  afterEach(() => bench.remove());

  async function fetched(name: EngineName): Promise<string> {
    const log = (): void => undefined;
    if (name in JVM_ENGINES) return fetchJars(name as JvmEngine, { maven: tools.maven, log });
    return name === 'ministack' ? fetchMinistack({ python: tools.python, log }) : '';
  }

  it.each(Object.entries(KINDS) as [EngineName, EngineKind][])(
    'takes another port when somebody took the one that was free a moment ago: %s',
    async (name, kind) => {
      const tried: number[] = [];
      let other: Server | undefined;
      const late: EngineKind = {
        ...kind,
        prepare: async (place) => {
          const [port = 0] = place.ports;
          tried.push(port);
          if (tried.length === 1) await once((other = createServer().listen(port, '127.0.0.1')), 'listening');
          return kind.prepare(place);
        },
      };
      const options = { dir: bench.dir, tools, fetched: await fetched(name), onDeath: () => undefined };
      const engine = new Engine(late, options);
      try {
        await engine.start();
        expect(tried).toHaveLength(2);
        expect(engine.port).toBe(tried[1]);
        expect(await kind.isReady(engine.port)).toBe(true);
      } finally {
        await engine.stop();
        other?.close();
      }
      expect(processesWith(bench.dir)).toEqual([]);
    },
  );

  it('that never answers is given up, with where its log is, and is gone', async () => {
    const stuck: EngineKind = {
      ...redis,
      prepare: ({ dir }) => ({ file: bench.program('stuck', 'exec sleep 300.123'), args: [dir], cwd: dir }),
    };
    const engine = new Engine(stuck, {
      dir: bench.dir,
      tools,
      fetched: '',
      readyWithinMs: 300,
      onDeath: () => undefined,
    });
    await expect(engine.start()).rejects.toThrow(
      new EngineProblem(`redis-server was not ready after 0.3 s: its log ${engine.logFile} says why.`),
    );
    expect([processesWith('sleep 300.123'), processesWith(bench.dir)]).toEqual([[], []]);
  });
});
