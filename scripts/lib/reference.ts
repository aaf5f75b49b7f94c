import { ACTION_NAMES, ACTIONS, ERRORS, EVENTS } from '@parley/protocol';
import { jsonSchemaOf, namedSchemas, nameOf, type JsonSchema } from './schemas.ts';

const NAMED = namedSchemas();

/** The generated parts of docs/protocol.md, by the name that its markers carry. */
export function protocolParts(limitsSource: string): Record<string, string> {
  return {
    'actions overview': actionsOverview(),
    'actions in full': ACTION_NAMES.map(actionSection).join('\n\n'),
    events: eventsTable(),
    shapes: shapes(),
    errors: errorsTable(),
    limits: limitsTable(limitsSource),
  };
}

function actionsOverview(): string {
  return table(
    ['action', 'body', 'reply', 'function', 'at once', 'then per second'],
    ACTION_NAMES.map((name) => {
      const { body, reply, rate, function: fn } = ACTIONS[name];
      const fields = (schema: JsonSchema): string => code(fieldNames(schema).join(', ')) || 'nothing';
      return [
        `[${code(name)}](#${name.replace('.', '').toLowerCase()})`,
        fields(jsonSchemaOf(body)),
        fields(jsonSchemaOf(reply)),
        code(fn),
        String(rate.burst),
        String(rate.perSecond),
      ];
    }),
  );
}

function actionSection(name: (typeof ACTION_NAMES)[number]): string {
  const { summary, body, reply } = ACTIONS[name];
  const rows = [...fieldRows('body', jsonSchemaOf(body)), ...fieldRows('reply', jsonSchemaOf(reply))];
  const fields = rows.length > 0 ? table(['in', 'field', 'type', 'rule'], rows) : 'Body and reply are empty objects.';
  return `### ${code(name)}\n\n${summary}\n\n${fields}`;
}

function eventsTable(): string {
  return table(
    ['type', 'body', 'meaning'],
    Object.entries(EVENTS).map(([type, { summary, body }]) => [code(type), typeOf(jsonSchemaOf(body)), summary]),
  );
}

function shapes(): string {
  const isObject = (schema: JsonSchema): boolean => schema.properties !== undefined || schema.oneOf !== undefined;
  const scalars = Object.entries(NAMED).filter(([, schema]) => !isObject(schema));
  const objects = Object.entries(NAMED).filter(([, schema]) => isObject(schema));
  const sections = objects.flatMap(([name, schema]) => [
    `#### ${name}`,
    ...(schema.oneOf ?? [schema]).flatMap((variant) => [
      ...(schema.oneOf ? [`Of kind ${code(String(variant.properties?.['kind']?.const))}:`] : []),
      table(
        ['field', 'type', 'rule'],
        fieldRows('', variant).map((row) => row.slice(1)),
      ),
    ]),
  ]);
  const anchors = scalars.map(([name, schema]) => [
    `<a id="${name.toLowerCase()}"></a>${name}`,
    typeOf(schema),
    ruleOf(schema),
  ]);
  return [table(['name', 'type', 'rule'], anchors), ...sections].join('\n\n');
}

function errorsTable(): string {
  return table(
    ['code', 'temporary', 'closes the socket', 'meaning', 'remediation'],
    Object.entries(ERRORS).map(([name, { temporary, closes, meaning, remediation }]) => [
      code(name),
      temporary ? 'yes' : 'no',
      closes ? 'yes' : 'no',
      meaning,
      remediation,
    ]),
  );
}

/** Names and numbers of the limits with the comments that stand above them in `protocol/src/limits.ts`. */
function limitsTable(source: string): string {
  const rows = [...source.matchAll(/(?:\/\*\* (.*) \*\/\s+)?^ {2}(\w+): ([^,]+),$/gm)];
  return table(
    ['limit', 'value', 'unit', 'meaning'],
    rows.map(([, comment = '', name = '', value = '']) => [code(name), amount(value), unitOf(name), comment]),
  );
}

/** The product that a limit is written as, such as `32 * 1024`, with its thousands set apart. */
function amount(product: string): string {
  const value = product.split('*').reduce((result, factor) => result * Number(factor.replaceAll('_', '').trim()), 1);
  return value.toLocaleString('en-US');
}

function unitOf(name: string): string {
  if (name.endsWith('Bytes')) return 'bytes';
  if (name.endsWith('Chars')) return 'UTF-16 units';
  if (name.endsWith('Ms')) return 'ms';
  return '';
}

/** `body.field` rows of an object: where, name (with `?` when optional), type, rule. Inner objects are unfolded below their owner. */
function fieldRows(where: string, schema: JsonSchema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const optional = schema.required?.includes(name) ? '' : '?';
    const [inner, step] = innerOf(field);
    const nested = inner && !inner.$ref ? fieldRows(where, withoutBase(inner), `${prefix}${name}${step}.`) : [];
    return [[where, code(prefix + name + optional), typeOf(field), ruleOf(field)], ...nested];
  });
}

/** The object that a field holds, and how its path goes on. */
function innerOf(field: JsonSchema): [JsonSchema | undefined, string] {
  if (field.items) return [field.items, '[]'];
  if (field.additionalProperties) return [field.additionalProperties, '.*'];
  return [field.properties ? field : undefined, ''];
}

function typeOf(schema: JsonSchema): string {
  if (schema.$ref) return link(nameOf(schema.$ref));
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(' or ');
  if (schema.oneOf) return schema.oneOf.map(typeOf).join(' or ');
  if (schema.items) return `array of ${typeOf(schema.items)}`;
  if (schema.additionalProperties)
    return `object: ${typeOf(schema.propertyNames ?? {})} → ${typeOf(schema.additionalProperties)}`;
  if (!schema.properties) return schema.type ?? 'anything';
  const base = baseOf(schema);
  const own = fieldNames(withoutBase(schema)).map(code).join(', ');
  return base ? `${link(base)} with ${own}` : `object of ${own}`;
}

function ruleOf(schema: JsonSchema): string {
  const { description, minimum, maximum, minLength, maxLength, maxItems, maxProperties } = schema;
  const bytes = schema['x-maxBytes'];
  const bound = maximum === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : String(maximum);
  return [
    minimum !== undefined && `${String(minimum)} to ${bound}`,
    minLength !== undefined && `at least ${String(minLength)} character`,
    maxLength !== undefined && `at most ${String(maxLength)} UTF-16 units`,
    bytes !== undefined && `at most ${String(bytes)} bytes of UTF-8`,
    maxItems !== undefined && `at most ${String(maxItems)}`,
    maxProperties !== undefined && `at most ${String(maxProperties)} keys`,
    description,
  ]
    .filter((part) => typeof part === 'string')
    .join(', ');
}

/** The largest named object whose fields this object has, all of them and of the same form, besides others. */
function baseOf(schema: JsonSchema): string | undefined {
  const own = schema.properties ?? {};
  return Object.entries(NAMED)
    .filter(
      ([, { properties }]) => properties !== undefined && fieldNames(schema).length > Object.keys(properties).length,
    )
    .filter(([, { properties = {} }]) =>
      Object.entries(properties).every(([name, field]) => JSON.stringify(own[name]) === JSON.stringify(field)),
    )
    .sort(([, a], [, b]) => fieldNames(b).length - fieldNames(a).length)[0]?.[0];
}

function withoutBase(schema: JsonSchema): JsonSchema {
  const base = baseOf(schema);
  const inherited = base === undefined ? {} : (NAMED[base]?.properties ?? {});
  const own = Object.entries(schema.properties ?? {}).filter(([name]) => !Object.hasOwn(inherited, name));
  return { ...schema, properties: Object.fromEntries(own) };
}

function fieldNames({ properties = {}, required = [] }: JsonSchema): string[] {
  return Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`));
}

const link = (name: string): string => `[${name}](#${name.toLowerCase()})`;
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
