import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const ROUNDS = 14;
/** The first ones fill caches and compile. */
const WARM_ROUNDS = 5;

/**
 * What each round leaves behind in the heap, in bytes: the median of how much more is in use after a round than after the one before. Whatever is
 * kept of a round grows with every round; what else lives in this process, such as the remains of earlier test files, comes or goes once.
 */
export async function heapLeftByRound(round: () => Promise<void>): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await round();
    collect();
    used.push(process.memoryUsage().heapUsed);
  }
  const growth = used.slice(WARM_ROUNDS).map((bytes, i) => bytes - used[WARM_ROUNDS + i - 1]!);
  return growth.sort((a, b) => a - b)[Math.floor(growth.length / 2)]!;
}
