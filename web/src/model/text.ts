/** A run of a message's text. The runs of a text, put together, are the text again, unit for unit. */
export interface TextRun {
  readonly text: string;
  /** Where the run leads; only ever http or https. */
  readonly href?: string;
}

const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"]+/giu;
const TRAILING = /[.,:;!?'"*_~]$/;
const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Splits a text into plain runs and links. */
export function splitLinks(text: string): TextRun[] {
  const runs: TextRun[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimLink(match[0]);
    const href = safeHref(link);
    if (href === undefined) continue;
    if (match.index > from) runs.push({ text: text.slice(from, match.index) });
    runs.push({ text: link, href });
    from = match.index + link.length;
  }
  if (from < text.length) runs.push({ text: text.slice(from) });
  return runs;
}

/** Leaves the full stop of a sentence and the bracket around a link out of it. */
function trimLink(found: string): string {
  let link = found;
  for (;;) {
    const last = link.at(-1) ?? '';
    const opening = PAIRS[last];
    const isUnpaired = opening !== undefined && count(link, last) > count(link, opening);
    if (!isUnpaired && !TRAILING.test(link)) return link;
    link = link.slice(0, -1);
  }
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}

function safeHref(link: string): string | undefined {
  const address = /^www\./i.test(link) ? `https://${link}` : link;
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname, href } = new URL(address);
  const isWeb = protocol === 'https:' || protocol === 'http:';
  const isHost = hostname.includes('.') || hostname === 'localhost' || hostname.startsWith('[');
  return isWeb && isHost ? href : undefined;
}

const EMOJI_MAX = 6;
const TONE = '\\p{Emoji_Modifier}';
const ONE = `(?:\\p{Emoji_Presentation}|\\p{Extended_Pictographic}(?=\\ufe0f|${TONE}|\\u200d))(?:\\ufe0f|${TONE})?`;
const EMOJI =
  `(?:\\p{Regional_Indicator}{2}|[0-9#*]\\ufe0f?\\u20e3|` +
  `${ONE}(?:\\u200d\\p{Extended_Pictographic}(?:\\ufe0f|${TONE})?)*[\\u{e0020}-\\u{e007f}]*)`;
const ONLY_EMOJI = new RegExp(`^(?:${EMOJI}\\s?){1,${String(EMOJI_MAX)}}$`, 'u');
/** The longest emoji has about 15 units; nothing longer than this is worth the look. */
const ONLY_EMOJI_MAX_CHARS = EMOJI_MAX * 20;

/** Whether the text is 1 to 6 emoji and nothing else, and so can be shown bigger. */
export function isOnlyEmoji(text: string): boolean {
  return text.length <= ONLY_EMOJI_MAX_CHARS && ONLY_EMOJI.test(text);
}

/** The first `maxChars` of a text, not cut inside a surrogate pair. */
export function clip(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const cut = text.slice(0, maxChars);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

const encoder = new TextEncoder();

/** UTF-8 length; the wire counts bytes. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}
