import * as fc from 'fast-check';
import emoji from 'unicode-emoji-json/data-by-emoji.json';
import { byteLength, clip, isOnlyEmoji, splitLinks } from '../src/model/text.ts';

const links = (text: string): string[] => splitLinks(text).flatMap(({ href }) => href ?? []);

describe('the runs of a text', () => {
  it('are the text again, whatever it is', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('https://', 'http://a.example/', 'www.', '(', ')', '.', ' ', '\r\n', '\ud800', '\u202e', '<a>'),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join('');
        expect(
          splitLinks(text)
            .map((run) => run.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  it.each([
    ['see https://example.org/a?b=1#c now', 'https://example.org/a?b=1#c'],
    ['It is at https://example.org.', 'https://example.org/'],
    ['(https://example.org/a)', 'https://example.org/a'],
    ['https://example.org/Harbour_(painting)', 'https://example.org/Harbour_(painting)'],
    ['www.example.org, or so', 'https://www.example.org/'],
    ['HTTPS://EXAMPLE.ORG', 'https://example.org/'],
    ['http://127.0.0.1:8787/', 'http://127.0.0.1:8787/'],
    ['http://localhost:8787', 'http://localhost:8787/'],
  ])('link what is an address: %s', (text, href) => {
    expect(links(text)).toEqual([href]);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'https://',
    'www.',
    'a.b',
    'file:///etc',
    'https://a b',
    'xhttps://a.b',
  ])('do not link what is none: %s', (text) => {
    expect(links(text)).toEqual([]);
  });

  it('lead to http and https only', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.string(), (url, rest) => {
        for (const href of links(`${rest} ${url}${rest}`)) expect(href).toMatch(/^https?:\/\//);
      }),
    );
  });
});

describe('a text of emoji only', () => {
  it('is recognised for every emoji that there is', () => {
    const all = Object.keys(emoji);
    expect(all.length).toBeGreaterThan(1_800);
    expect(all.filter((one) => !isOnlyEmoji(one))).toEqual([]);
  });

  it.each(['😊🎉', '👩‍👩‍👧‍👦', '🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇫🇷', '👍🏽', '❤️', '1️⃣'])('can have several: %s', (text) => {
    expect(isOnlyEmoji(text)).toBe(true);
  });

  it.each(['', ' ', '12', '#', '©', 'ok 👍', '👍.', '😊😊😊😊😊😊😊'])('is not: %j', (text) => {
    expect(isOnlyEmoji(text)).toBe(false);
  });
});

it('clips between characters', () => {
  expect(clip('short', 10)).toBe('short');
  expect(clip('abc😊def', 4)).toBe('abc…');
  expect(clip('abc😊def', 5)).toBe('abc😊…');
});

it('counts what the wire counts', () => {
  expect(byteLength('aé€😊')).toBe(1 + 2 + 3 + 4);
});
