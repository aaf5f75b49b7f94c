import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** Bytes of an item as DynamoDB counts them ("DynamoDB item sizes and formats"): names in UTF-8, two digits to a byte, three bytes around a list or map. */
export function itemBytes(item: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes({ S, N, L, M }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.replace(/^-/, '').length / 2) + 1 + (N.startsWith('-') ? 1 : 0);
  if (L) return 3 + L.reduce((sum, value) => sum + 1 + valueBytes(value), 0);
  if (M)
    return (
      3 + Object.entries(M).reduce((sum, [name, value]) => sum + 1 + Buffer.byteLength(name) + valueBytes(value), 0)
    );
  throw new Error('no such value is stored');
}
