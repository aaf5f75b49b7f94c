import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readArguments, USAGE, type Arguments } from './arguments.ts';
import { FAULTS } from './faults/index.ts';
import { LEFT_OUT } from './faults/left-out.ts';
import { Lab } from './harness/lab.ts';
import { runFault } from './harness/run-fault.ts';
import { toJsonl } from './history/history.ts';
import { answersOf } from './report/answers.ts';
import { reportOf } from './report/report.ts';
import { totalsOf, type FaultRun } from './report/totals.ts';

const FINDINGS_PRINTED_MAX = 10;

/** `npm run faults`: every fault that this machine can show, one after the other, on one set of engines. */
async function main(): Promise<number> {
  // The logger reads its level when it is loaded.
  process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';
  const { seed, only, report } = tell(() => readArguments(process.argv.slice(2)));
  const faults = FAULTS.filter(({ id }) => only.length === 0 || only.some((begin) => id.startsWith(begin)));
  if (faults.length === 0)
    throw new Error(`no fault is called ${only.join(', ')}: ${FAULTS.map(({ id }) => id).join(', ')}`);
  const startedAtMs = Date.now();
  print(`Seed ${seed}. Starting engines …`);
  const lab = await Lab.open(process.cwd());
  const runs: FaultRun[] = [];
  const historyDir = join(dirname(resolve(report)), 'history');
  mkdirSync(historyDir, { recursive: true });
  try {
    for (const [i, fault] of faults.entries()) {
      process.stdout.write(`[${i + 1}/${faults.length}] ${fault.id} ${fault.title} … `);
      const result = await runFault(fault, lab, seed);
      runs.push({ fault, result });
      writeFileSync(join(historyDir, `${fault.id}.jsonl`), toJsonl(result.history));
      const healed = result.healMs === undefined ? '' : `, healed in ${(result.healMs / 1_000).toFixed(1)} s`;
      print(
        `${result.findings.length === 0 ? 'kept' : `${result.findings.length} FINDINGS`} (${(result.tookMs / 1_000).toFixed(0)} s, ${result.sends.ok} sends${healed})`,
      );
      const { healthy, faulty } = answersOf(result.history);
      if (healthy.count > 0 && faulty.count > 0) {
        print(
          `    sends answered: p99 ${faulty.p99Ms} ms during the fault (${faulty.count}), ${healthy.p99Ms} ms beside it (${healthy.count})`,
        );
      }
      for (const figure of result.figures) print(`    ${figure}`);
      for (const { checker, what } of result.findings.slice(0, FINDINGS_PRINTED_MAX)) print(`    ${checker}: ${what}`);
      // So that one that hangs, or is interrupted, takes nothing away.
      writeFileSync(report, reportOf(runs, seed, startedAtMs, LEFT_OUT));
    }
  } finally {
    await lab.close();
  }
  const { kept, lost, duplicate, reordered, leaked, healP50Ms, healMaxMs } = totalsOf(runs);
  print('');
  print(
    `${kept} of ${runs.length} kept all promises: ${lost} lost, ${duplicate} duplicate, ${reordered} reordered, ${leaked} leaked.`,
  );
  print(
    `After a fault everybody had everything in ${(healP50Ms / 1_000).toFixed(1)} s (p50), ${(healMaxMs / 1_000).toFixed(1)} s (max; goal ≤ 60 s).`,
  );
  print(`Timelines: ${report}. The same again: npm run faults -- --seed ${seed}`);
  return kept === runs.length ? 0 : 1;
}

function tell(read: () => Arguments): Arguments {
  try {
    return read();
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    print(USAGE);
    process.exit(2);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// Whatever a broken run has left open must not keep the command from ending.
process.exit(await main());
