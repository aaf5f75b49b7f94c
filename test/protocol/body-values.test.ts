import { LIMITS, parseFrame, validateBody, type ActionName } from '@parley/protocol';
import { BODIES, clientMessageId, refusal } from './valid-bodies.ts';

describe('numbers', () => {
  const bodyOf = (limit: string): unknown =>
    parseFrame(`{"action":"log.page","body":{"conversationId":"c_1","limit":${limit}}}`).body;

  it.each(['1', '100', '1.0', '1e2'])('may be written as %s', (limit) => {
    expect(validateBody('log.page', bodyOf(limit)).limit).toBe(Number(limit));
  });

  it.each([
    '1e400',
    '-1e400',
    '-0',
    '-0.0',
    '0',
    '1.5',
    '-1',
    '101',
    '1000000000',
    '9007199254740993',
    '"1"',
    'null',
    'true',
    '[1]',
  ])('may not be %s', (limit) => {
    expect(refusal('log.page', bodyOf(limit)).message).toMatch(/^limit must /);
  });

  it.each([
    ['seq', -1],
    ['seq', 2 ** 53],
    ['seq', -0],
    ['epoch', 0],
    ['epoch', 1.5],
  ])('of a cursor keep their bounds: %s not %d', (field, value) => {
    const cursor = { seq: 0, id: '0', epoch: 1, [field]: value };
    expect(refusal('session.start', { cursors: { c_1: cursor } }).message).toMatch(
      new RegExp(`^cursors\\.\\*\\.${field} must `),
    );
  });
});

describe('ids', () => {
  const withReply = (replyToId: string): unknown => ({ ...BODIES['message.send'].least, replyToId });

  it.each([
    '',
    ' 12 ',
    '0x10',
    '1e3',
    '-1',
    '+1',
    '01',
    '١٢',
    '1\u0000',
    '9223372036854775808',
    '18446744073709551616',
    '9'.repeat(30),
  ])('of entries may not be %j', (id) => {
    expect(refusal('message.send', withReply(id)).message).toMatch(/^replyToId must be a decimal/);
  });

  it.each(['', 'a b', 'ä', '../x', 'c\u0000', 'c'.repeat(65), 'c\n'])('of conversations may not be %j', (id) => {
    expect(refusal('conversation.get', { conversationId: id }).code).toBe('VALIDATION_FAILED');
  });

  it.each([
    'not-a-uuid',
    '../../x',
    'x'.repeat(1024),
    '\ud800',
    `${clientMessageId} `,
    `{${clientMessageId}}`,
    clientMessageId.replaceAll('-', ''),
  ])('of messages, the client’s own, may not be %j', (id) => {
    expect(refusal('message.send', { ...BODIES['message.send'].least, clientMessageId: id }).message).toBe(
      'clientMessageId must be a UUID.',
    );
  });

  it('that the caller chose as a key stand as * in the message', () => {
    expect(refusal('session.start', { cursors: { c_1: { seq: 0, id: '0' } } }).message).toBe(
      'cursors.*.epoch is missing.',
    );
    expect(refusal('heartbeat', { heads: { 'no id': 1 } }).message).toMatch(/^heads\.\* must /);
  });
});

describe('text', () => {
  const withText = (text: string): unknown => ({ ...BODIES['message.send'].least, content: { type: 'text', text } });
  const euros = (bytes: number): string => '€'.repeat(Math.floor(bytes / 3)) + 'x'.repeat(bytes % 3);

  it('may have as many bytes of UTF-8 as the limit says, and not one more', () => {
    const longest = euros(LIMITS.textMaxBytes);
    expect(longest.length).toBeLessThan(LIMITS.textMaxBytes / 2);
    expect(validateBody('message.send', withText(longest)).content.text).toBe(longest);
    const error = refusal('message.send', withText(euros(LIMITS.textMaxBytes + 1)));
    expect([error.code, error.message]).toEqual(['PAYLOAD_TOO_LARGE', 'content.text is larger than 16384 bytes.']);
  });

  it.each([
    '👩‍👩‍👧‍👦',
    '\u202eabc',
    `a${'\u0301'.repeat(5_000)}`,
    '<script>alert(1)</script>',
    "'; DROP TABLE messages;--",
    '${jndi:ldap://x}',
    '\r\n',
    '\u001b[31m',
    ' ',
  ])('comes through as it is (%#)', (text) => {
    expect(validateBody('message.send', withText(text)).content.text).toBe(text);
  });

  it('may not be empty, and holds no NUL', () => {
    expect(refusal('message.send', withText('')).message).toBe('content.text must not be shorter than 1.');
    expect(refusal('message.send', withText('a\u0000b')).message).toBe('content.text must not contain NUL.');
  });

  it.each(['', '   ', 'a\u202eb', 'a\nb', 'a\u0000', 't'.repeat(LIMITS.titleMaxChars + 1)])(
    'may not be a title when it is %j',
    (title) => {
      expect(refusal('conversation.create', { ...BODIES['conversation.create'].least, title }).message).toMatch(
        /^title must /,
      );
    },
  );
});

describe('lists', () => {
  const users = (count: number): string[] => Array.from({ length: count }, (_, i) => `u${String(i)}`);
  const keyed = <T>(count: number, value: T): Record<string, T> =>
    Object.fromEntries(users(count).map((id) => [id, value]));

  it.each<[ActionName, string, number, (count: number) => unknown]>([
    [
      'message.send',
      'mentions',
      LIMITS.mentionsMax,
      (count) => ({ ...BODIES['message.send'].least, mentions: users(count) }),
    ],
    ['presence.watch', 'userIds', LIMITS.watchedUsersMax, (count) => ({ userIds: users(count) })],
    [
      'conversation.create',
      'memberIds',
      LIMITS.groupMembersMax,
      (count) => ({ clientRequestId: 'r', type: 'group', memberIds: users(count) }),
    ],
    [
      'session.start',
      'cursors',
      LIMITS.cursorsMax,
      (count) => ({ cursors: keyed(count, { seq: 0, id: '0', epoch: 1 }) }),
    ],
    ['heartbeat', 'heads', LIMITS.heartbeatHeadsMax, (count) => ({ heads: keyed(count, 1) })],
  ])('%s: %s hold at most %d', (action, field, max, bodyOf) => {
    expect(() => validateBody(action, bodyOf(max))).not.toThrow();
    expect(refusal(action, bodyOf(max + 1)).message).toMatch(new RegExp(`^${field} must `));
  });
});
