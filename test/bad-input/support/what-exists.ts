import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACTION_NAMES, ACTIONS, role } from '@parley/protocol';

/** What of a valibot schema the search looks at. */
interface AnySchema {
  readonly wrapped?: AnySchema;
  readonly entries?: Readonly<Record<string, AnySchema>>;
  readonly value?: AnySchema;
  readonly item?: AnySchema;
  readonly options?: readonly (AnySchema | string)[];
}

const LAMBDAS = join(process.cwd(), 'lambdas');

export const anAction = (name: RegExp) => (): boolean => ACTION_NAMES.some((action) => name.test(action));

/** A field that some action takes, at any level. */
export const aField = (name: RegExp) => (): boolean =>
  ACTION_NAMES.some((action) => fieldNames(ACTIONS[action].body as AnySchema).some((field) => name.test(field)));

/** A field that some action answers, at any level. */
export const anAnsweredField = (name: RegExp) => (): boolean =>
  ACTION_NAMES.some((action) => fieldNames(ACTIONS[action].reply as AnySchema).some((field) => name.test(field)));

/** A role beside owner and member. */
export const aRole = (name: RegExp) => (): boolean => role.options.some((one) => name.test(one));

export const aFunction = (name: string) => (): boolean => existsSync(join(LAMBDAS, `${name}.ts`));

/** Code of the functions that speaks of something. */
export const codeWith = (text: RegExp) => (): boolean =>
  readdirSync(LAMBDAS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .some((path) => text.test(readFileSync(join(LAMBDAS, path), 'utf8')));

export const either =
  (...some: readonly (() => boolean)[]) =>
  (): boolean =>
    some.some((exists) => exists());

function fieldNames(schema: AnySchema): string[] {
  const { wrapped, entries = {}, value, item, options = [] } = schema;
  const inner = [wrapped, value, item, ...Object.values(entries), ...options];
  return [...Object.keys(entries), ...inner.flatMap((one) => (typeof one === 'object' ? fieldNames(one) : []))];
}
