import { Lab } from './harness/lab.ts';
import { runFault } from './harness/run-fault.ts';
import { FAULTS } from './faults/index.ts';

process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';
const lab = await Lab.open(process.cwd());
try {
  for (const fault of FAULTS) {
    const only = process.argv[2];
    if (only !== undefined && !only.split(',').includes(fault.id)) continue;
    const result = await runFault(fault, lab, 1);
    console.log(
      fault.id,
      result.findings.length,
      result.findings.slice(0, 20),
      result.healMs,
      result.sends,
      result.tookMs,
    );
    if (result.findings.length)
      console.log(
        lab.lines
          .slice(0, 30)
          .map((l) => l.slice(0, 300))
          .join('\n'),
      );
  }
} finally {
  await lab.close();
}
