import {
  ACTION_NAMES,
  ACTIONS,
  LIMITS,
  parseFrame,
  ProtocolError,
  validateBody,
  type ActionName,
  type Body,
} from '@parley/protocol';

const conversationId = 'c_1';
const clientMessageId = '0b6c1d1e-6f5a-4d3e-9a43-0c5a4c6d7e8f';

/** For every action the smallest body that it takes, and a full one. A new action does not compile until it stands here. */
const BODIES: { [A in ActionName]: { least: Body<A>; most: Required<Body<A>> } } = {
  'session.start': { least: {}, most: { cursors: { [conversationId]: { seq: 0, id: '0', epoch: 1 } }, page: 'p_1' } },
  'session.end': { least: {}, most: {} },
  'message.send': {
    least: { conversationId, clientMessageId, content: { type: 'text', text: 'Hello' } },
    most: {
      conversationId,
      clientMessageId,
      content: { type: 'text', text: 'Hello' },
      threadId: '1',
      replyToId: '2',
      mentions: ['ana'],
    },
  },
  'log.sync': {
    least: { conversationId, after: { seq: 0, id: '0' } },
    most: { conversationId, epoch: 1, after: { seq: 5, id: '9223372036854775807' }, limit: 200 },
  },
  'log.page': { least: { conversationId }, most: { conversationId, beforeId: '1', limit: 100 } },
  'receipt.set': { least: { conversationId }, most: { conversationId, deliveredSeq: 2, readSeq: 1 } },
  'receipts.get': { least: { conversationId }, most: { conversationId, page: 'p_1' } },
  heartbeat: { least: {}, most: { heads: { [conversationId]: 1 }, invisible: true } },
  'presence.watch': { least: { userIds: [] }, most: { userIds: ['ana'] } },
  'presence.unwatch': { least: {}, most: {} },
  'typing.set': { least: { conversationId, typing: true }, most: { conversationId, typing: false } },
  'conversation.create': {
    least: { clientRequestId: 'r_1', type: 'group' },
    most: { clientRequestId: 'r_1', type: 'direct', memberIds: ['ben'], title: 'Lunch' },
  },
  'conversation.get': { least: { conversationId }, most: { conversationId } },
  'conversation.list': { least: {}, most: { page: 'p_1' } },
  'member.list': { least: { conversationId }, most: { conversationId, page: 'p_1' } },
  'workspace.members': { least: {}, most: { page: 'p_1' } },
};

type Json = Record<string, unknown>;
const SECRET = 'hunter2-secret-value';

/** The refusal of a body. */
function refusal(action: ActionName, body: unknown): ProtocolError {
  try {
    validateBody(action, body);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('The body was accepted.');
}

/** Every way to put `change` in place of one value inside `value`; it also gets the key that the value stands at. */
function variants(value: unknown, change: (inner: unknown, key: string) => unknown, at = ''): unknown[] {
  const here = [change(value, at)];
  if (typeof value !== 'object' || value === null) return here;
  const inside = Object.entries(value).flatMap(([key, inner]) =>
    variants(inner, change, key).map((changed) =>
      Array.isArray(value)
        ? value.map((old: unknown, i) => (String(i) === key ? changed : old))
        : { ...value, [key]: changed },
    ),
  );
  return [...here, ...inside];
}

/** Fields whose keys are ids: there an unknown key is one more id. */
const RECORDS = ['cursors', 'heads'];

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const allFields = ACTION_NAMES.flatMap((action) =>
  Object.entries<{ readonly type: string }>(ACTIONS[action].body.entries).map(([field, schema]) => ({
    action,
    field,
    optional: schema.type === 'optional',
  })),
);

describe('the table of valid bodies', () => {
  it('covers every action and every field', () => {
    expect(Object.keys(BODIES).sort()).toEqual([...ACTION_NAMES].sort());
    for (const { action, field } of allFields)
      expect([action, Object.keys(BODIES[action].most)]).toEqual([action, expect.arrayContaining([field])]);
    expect(allFields.length).toBeGreaterThan(25);
  });
});

describe.each(ACTION_NAMES)('the body of %s', (action) => {
  const { least, most } = BODIES[action];

  it('is taken as it is, at its smallest and with every field', () => {
    expect(validateBody(action, least)).toEqual(least);
    expect(validateBody(action, most)).toEqual(most);
  });

  it('loses what nobody knows, at every level', () => {
    const extended = variants(most, (inner, key) =>
      isObject(inner) && !RECORDS.includes(key) ? { ...inner, zzz: SECRET } : inner,
    ).filter((body) => JSON.stringify(body).includes('zzz'));
    expect(extended.length).toBeGreaterThan(0);
    for (const body of extended) expect(validateBody(action, body)).toEqual(most);
  });

  it('must be an object', () => {
    for (const body of [null, 1, 'x', true]) expect(refusal(action, body).code).toBe('VALIDATION_FAILED');
  });

  it('that is refused is never repeated in the message', () => {
    const wrong = [SECRET, [SECRET], { [SECRET]: SECRET }, null, Infinity, -0, 1.5].flatMap((value) =>
      variants(most, () => value),
    );
    let refused = 0;
    for (const body of wrong) {
      try {
        validateBody(action, body);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        refused += 1;
        expect(['VALIDATION_FAILED', 'PAYLOAD_TOO_LARGE']).toContain(error.code);
        expect(JSON.stringify(error.toBody())).not.toContain('hunter2');
        expect(error.message).toMatch(/^[A-Za-z.*0-9]+ (is|must) /);
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});

describe('a body without a field that it needs', () => {
  const needed = allFields.filter(({ optional }) => !optional);

  it.each(needed)('is refused by name: $action without $field', ({ action, field }) => {
    const rest = Object.fromEntries(Object.entries(BODIES[action].most).filter(([name]) => name !== field));
    const error = refusal(action, rest);
    expect([error.code, error.message]).toEqual(['VALIDATION_FAILED', `${field} is missing.`]);
  });
});

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
