import { accessOf, runCommand } from './command.ts';
import { examine, formatReport } from './doctor.ts';
import { readCommandLine, USAGE } from './options.ts';

runCommand(async () => {
  const commandLine = readCommandLine(process.argv.slice(2), process.env);
  if (commandLine === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const { json, ...asked } = commandLine;
  const report = await examine({ ...asked, ...(await accessOf(asked)) });
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
  return report.ok ? 0 : 1;
});
