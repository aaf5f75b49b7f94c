import { LIMITS } from '@parley/protocol';

/** Who uses this tab. */
export interface Identity {
  readonly userId: string;
  readonly name: string;
}

const SLUG_MAX_CHARS = 48;
/** Controls and the marks that turn the reading direction: the server refuses names with them. */
// eslint-disable-next-line no-control-regex -- controls are what is taken out
const NOT_IN_NAMES = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The name as the server accepts it: one line, no outer spaces, at most `nameMaxChars` long. Empty when nothing is left. */
export function cleanName(typed: string): string {
  const line = typed.replace(/\s+/g, ' ').replace(NOT_IN_NAMES, '').trim().normalize('NFC');
  let name = '';
  for (const char of line) {
    if (name.length + char.length > LIMITS.nameMaxChars) break;
    name += char;
  }
  return name.trim();
}

/**
 * The user id of a name, of a-z, 0-9 and `-`: "Ana Lopez" is `ana-lopez`. The same name always gets the same id. A name with
 * letters that these cannot spell ends in a hash, so that two such names do not become one user.
 */
export function userIdOf(name: string): string {
  const folded = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const slug = folded
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_MAX_CHARS)
    .replace(/^-+|-+$/g, '');
  const isSpelled = slug !== '' && folded.length <= SLUG_MAX_CHARS && !/[^\x20-\x7e]/.test(folded);
  if (isSpelled) return slug;
  return `${slug === '' ? 'user' : slug}-${hash(name).toString(36)}`;
}

/** FNV-1a of the UTF-16 units: spreads well enough for a palette and for ids of a demo, and is the same everywhere. */
export function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    sum ^= text.charCodeAt(i);
    sum = Math.imul(sum, 0x01000193);
  }
  return sum >>> 0;
}

/** Up to two letters for an avatar. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s\-_.]+/).filter((word) => word !== '');
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => firstGrapheme(word ?? '?'))
    .join('')
    .toUpperCase();
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function firstGrapheme(text: string): string {
  for (const { segment } of graphemes.segment(text)) return segment;
  return '';
}
