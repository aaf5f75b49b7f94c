import type { FunctionDefinition } from '../../local/assembly/functions.ts';
import { LambdaRuntime } from '../../local/lambda/runtime.ts';

/** Runs one event and says which processes it has; then waits to be killed. */
async function main(): Promise<void> {
  const definition = JSON.parse(process.argv[2] ?? '') as FunctionDefinition;
  const runtime = new LambdaRuntime({
    root: process.cwd(),
    region: 'eu-west-1',
    functions: [definition],
    variables: () => ({}),
    redirects: { ports: {}, addresses: {} },
  });
  await runtime.invoke(definition.name, {});
  process.stdout.write(JSON.stringify(runtime.pidsOf(definition.name)));
}

void main();
