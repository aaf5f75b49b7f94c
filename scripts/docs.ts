/** Writes the generated documents; with `--check` it writes nothing and fails when one differs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { generateDocuments } from './lib/documents.ts';

const check = process.argv.includes('--check');
for (const { path, text } of await generateDocuments(process.cwd())) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) {
    console.error(`${path} is out of date.`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`${path} written.`);
  }
}
