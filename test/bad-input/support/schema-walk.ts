import { ACTIONS, type ActionName } from '@parley/protocol';
import * as v from 'valibot';

/** What of a valibot schema the walk looks at. */
interface AnySchema {
  readonly type: string;
  readonly wrapped?: AnySchema;
  readonly entries?: Readonly<Record<string, AnySchema>>;
  readonly value?: AnySchema;
  readonly item?: AnySchema;
  readonly options?: readonly unknown[];
}

export type Path = readonly string[];

/** A field of a body: where it stands, with the keys and indexes of the sample. */
export interface Field {
  readonly path: Path;
  readonly schema: AnySchema;
  readonly required: boolean;
}

/**
 * Every field of an action at every level, in the order of the schema.
 * @throws when the sample lacks one that the schema has: it would go untested.
 */
export function fieldsOf(action: ActionName, sample: unknown): Field[] {
  return walk(ACTIONS[action].body, sample, []);
}

function walk(schema: AnySchema, value: unknown, path: Path): Field[] {
  const below = (key: string, inner: AnySchema): Field[] => {
    const required = inner.type !== 'optional';
    const plain = unwrapped(inner);
    const at = [...path, key];
    const child = (value as Record<string, unknown>)[key];
    if (child === undefined) throw new Error(`the sample lacks ${at.join('.')}`);
    return [{ path: at, schema: plain, required }, ...walk(plain, child, at)];
  };
  switch (schema.type) {
    case 'object':
      return Object.entries(schema.entries ?? {}).flatMap(([key, inner]) => below(key, inner));
    case 'record':
    case 'array': {
      const inner = schema.value ?? schema.item;
      const [key] = Object.keys(value as object);
      if (!inner || key === undefined) throw new Error(`the sample has an empty ${path.join('.')}`);
      return below(key, inner).map((field, i) => (i === 0 ? { ...field, required: false } : field));
    }
    case 'variant':
    case 'union': {
      const options = (schema.options ?? []) as v.GenericSchema[];
      const fitting = options.find((option) => v.is(option, value));
      if (!fitting) throw new Error(`the sample fits no variant of ${path.join('.')}`);
      return walk(fitting, value, path);
    }
    default:
      return [];
  }
}

function unwrapped(schema: AnySchema): AnySchema {
  return schema.type === 'optional' && schema.wrapped ? unwrapped(schema.wrapped) : schema;
}

/** The paths of all objects in a value, the outermost first. */
export function objectsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value).flatMap(([key, child]) => objectsIn(child, [...path, key]));
  return Array.isArray(value) ? below : [path, ...below];
}

/** The same value with the field at `path` set, or removed when `replacement` is undefined. */
export function changed<T>(value: T, path: Path, replacement: unknown): T {
  const copy = structuredClone(value);
  let at = copy as Record<string, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  if (replacement === undefined) Reflect.deleteProperty(at, last);
  else at[last] = replacement;
  return copy;
}

/** The JSON of a value with the text `raw` in the place of the field at `path`, for what JavaScript cannot write. */
export function jsonWithRaw(value: unknown, path: Path, raw: string): string {
  return JSON.stringify(changed(value, path, RAW)).replace(JSON.stringify(RAW), () => raw);
}

/** The JSON of a value with the member `raw` (`"key":value`) in the object at `path`. */
export function jsonWithMember(value: unknown, path: Path, raw: string): string {
  return JSON.stringify(changed(value, [...path, RAW], 0)).replace(`${JSON.stringify(RAW)}:0`, () => raw);
}

const RAW = '@raw@';

/** The body with its required fields only. */
export function minimal(action: ActionName, sample: unknown): Record<string, unknown> {
  let body = sample as Record<string, unknown>;
  for (const { path, required } of fieldsOf(action, sample)) {
    if (path.length === 1 && !required) body = changed(body, path, undefined);
  }
  return body;
}
