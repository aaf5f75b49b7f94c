import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { EntryId } from '@parley/protocol';

export type Item = Record<string, AttributeValue>;

export const text = (value: string): AttributeValue => ({ S: value });
/** A safe integer. */
export const whole = (value: number): AttributeValue => ({ N: String(value) });
/** Ids pass 2^53: DynamoDB keeps 38 digits exactly, and no id ever becomes a JavaScript number. */
export const exact = (value: EntryId): AttributeValue => ({ N: value });
export const list = (values: readonly AttributeValue[]): AttributeValue => ({ L: [...values] });
export const map = (value: Item): AttributeValue => ({ M: value });

export function textIn(item: Item, name: string): string {
  return item[name]?.S ?? lacks(name);
}

export function optionalTextIn(item: Item, name: string): string | undefined {
  return item[name]?.S;
}

export function wholeIn(item: Item, name: string): number {
  return Number(exactIn(item, name));
}

export function exactIn(item: Item, name: string): EntryId {
  return item[name]?.N ?? lacks(name);
}

export function exactListIn(item: Item, name: string): EntryId[] {
  return (item[name]?.L ?? lacks(name)).map((value) => value.N ?? lacks(name));
}

export function mapListIn(item: Item, name: string): Item[] {
  return (item[name]?.L ?? lacks(name)).map((value) => value.M ?? lacks(name));
}

function lacks(name: string): never {
  throw new Error(`an item of the directory has no readable ${name}`);
}

/** Placeholders for the names in an expression: many plain words are reserved in DynamoDB. `#seq` stands for `seq`. */
export function names(...attributes: string[]): Record<string, string> {
  return Object.fromEntries(attributes.map((attribute) => [`#${attribute}`, attribute]));
}
