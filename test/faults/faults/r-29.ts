import { readdirSync, readFileSync } from 'node:fs';
import type { Lab } from '../harness/lab.ts';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const ROUNDS = 240;
const WARM_ROUNDS = 80;
const AT_ONCE = 8;
const GROWTH_MAX_MIB = 40;

export const R29: Fault = {
  id: 'R-29',
  title: 'Sockets come and go, again and again',
  hypothesis: 'Neither functions nor their descriptors grow with it.',
  schedule: `${ROUNDS} sockets, ${AT_ONCE} at a time, open, send and vanish while two people write.`,
  asserts: `After the first ${WARM_ROUNDS} no environment of send, connect or deliver grows by more than ${GROWTH_MAX_MIB} MiB or 8 descriptors.`,
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    const traffic = new Traffic(devices, [conversationId], 300);
    let warm = new Map<number, Usage>();
    for (let i = 0; i < ROUNDS; i += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, k) => {
          const device = await run.raw('ana', `comes-${i + k}`);
          await device.send(conversationId, `here I am ${i + k}`);
          await device.close();
        }),
      );
      if (i === WARM_ROUNDS) warm = usageOf(lab);
    }
    await traffic.stop();
    let compared = 0;
    for (const [pid, after] of usageOf(lab)) {
      const before = warm.get(pid);
      if (!before) continue;
      compared++;
      const grown = after.rssMiB - before.rssMiB;
      run.expect(grown <= GROWTH_MAX_MIB, `${after.name} grew by ${grown.toFixed(0)} MiB`);
      run.expect(after.files - before.files <= 8, `${after.name} holds ${after.files - before.files} more descriptors`);
    }
    run.expect(compared > 0, 'no process lived through it');
  },
};

interface Usage {
  readonly name: string;
  readonly rssMiB: number;
  readonly files: number;
}

/** Of every environment of these functions, by process id. */
function usageOf(lab: Lab): Map<number, Usage> {
  const usage = new Map<number, Usage>();
  for (const name of ['send', 'connect', 'deliver']) {
    for (const pid of lab.pidsOf(name)) {
      const rssKib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      usage.set(pid, { name, rssMiB: rssKib / 1_024, files: readdirSync(`/proc/${pid}/fd`).length });
    }
  }
  return usage;
}
