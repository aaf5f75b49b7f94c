import { LIMITS } from './limits.ts';

/** What `scanJson` found; `undefined` where a text is within all limits. */
export type JsonFlaw = 'too deep' | 'too many keys' | 'a key is too long' | 'a key stands twice';

export interface JsonScan {
  readonly flaw?: JsonFlaw;
  /** A key is `__proto__`, `constructor` or `prototype`: no field of ours, and a danger to careless code. */
  readonly prototypeKey: boolean;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const COLON = 58;

/**
 * Looks at the shape of a text that `JSON.parse` has accepted, in one pass, without building anything of the size of the
 * input: `JSON.parse` keeps the last of two equal keys and nests as deep as it is told, so the shape must be seen before the value is used.
 */
export function scanJson(text: string): JsonScan {
  const objects: (Set<string> | undefined)[] = [];
  let keys = 0;
  let prototypeKey = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      objects.push(c === OPEN_BRACE ? new Set() : undefined);
      if (objects.length > LIMITS.depthMax) return { flaw: 'too deep', prototypeKey };
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      objects.pop();
    } else if (c === QUOTE) {
      const end = stringEnd(text, i);
      if (isKey(text, end)) {
        if (end - i - 1 > LIMITS.keyMaxChars) return { flaw: 'a key is too long', prototypeKey };
        if (++keys > LIMITS.keysMax) return { flaw: 'too many keys', prototypeKey };
        const key = readString(text, i, end);
        const seen = objects[objects.length - 1];
        if (seen?.has(key)) return { flaw: 'a key stands twice', prototypeKey };
        seen?.add(key);
        prototypeKey ||= key === '__proto__' || key === 'constructor' || key === 'prototype';
      }
      i = end;
    }
  }
  return { prototypeKey };
}

/** The index of the quote that ends the string which starts at `start`. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === BACKSLASH) i++;
    else if (c === QUOTE) return i;
  }
  return text.length;
}

/** In JSON a string is a key when, and only when, a colon follows it. */
function isKey(text: string, end: number): boolean {
  for (let i = end + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c !== 32 && c !== 9 && c !== 10 && c !== 13) return c === COLON;
  }
  return false;
}

function readString(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes('\\') ? (JSON.parse(text.slice(start, end + 1)) as string) : raw;
}
