/** Judges every import of the repository; prints those that no rule allows. */
import { readArrows } from './lib/arrows.ts';

const { modules, imports, violations } = await readArrows(process.cwd());
for (const { rule, from, to } of violations) console.error(`${from} → ${to}\n  breaks: ${rule}`);
console.log(
  `${String(modules.length)} modules, ${String(imports.length)} imports, ${String(violations.length)} forbidden`,
);
if (violations.length > 0 || modules.length === 0) process.exitCode = 1;
