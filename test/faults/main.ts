import { Lab } from './harness/lab.ts';
import { Run } from './harness/run.ts';
import { Random } from './harness/random.ts';
import { R03 } from './faults/r-03.ts';

process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';
const t = Date.now();
const lab = await Lab.open(process.cwd());
console.log('open', Date.now() - t);
const run = new Run(lab, new Random(1));
try {
  await R03.run(run, lab);
  const result = await run.finish();
  console.log(result.findings.slice(0, 20), result.healMs, result.sends, result.tookMs);
  console.log(
    lab.lines
      .filter((l) => !/START|END|REPORT/.test(l))
      .slice(0, 40)
      .join('\n'),
  );
} finally {
  await lab.close();
}
