import { LIMITS, type Entry } from '@parley/protocol';
import { expectCleanLog, expectRefused, expectState, inScene, type Case, type Table } from '../support/refusals.ts';
import { until } from '../support/until.ts';
import { frameOf } from '../support/wire.ts';
import { message, sending, type Scene } from '../support/world.ts';

const CANARY = 'canary-08d4f7';

/** A good send with other fields. */
const sendWith = ({ conversationId }: Scene, fields: object): string =>
  frameOf('message.send', { ...message(conversationId, `hello ${CANARY}`), ...fields });

const refusesEach = (fieldsOf: (scene: Scene) => readonly object[], secrets: readonly string[]): Case =>
  inScene(async (given, scene) => {
    for (const fields of fieldsOf(scene)) {
      const text = sendWith(scene, fields);
      await expectRefused(given, scene.owner, 'VALIDATION_FAILED', { text, secrets: [CANARY, ...secrets] });
    }
    await expectOnlyFirst(scene);
  });

/** Nothing was added to the one message of the scene. */
async function expectOnlyFirst({ owner, conversationId, message: { id } }: Scene): Promise<void> {
  const { entries } = await owner.call('log.page', { conversationId });
  expect(entries.map((entry) => entry.id)).toEqual([id]);
}

const textOf = (entry: Entry | undefined): string | undefined =>
  entry?.kind === 'message' ? entry.content.text : undefined;

/** A text is accepted, is delivered, and reads back as it was sent. */
const verbatim = (text: string): Case =>
  inScene(async (given, { owner, other, conversationId }) => {
    const { id } = await given.world.say(owner, conversationId, text);
    const isThis = (entry: Entry): boolean => entry.id === id;
    const delivered = (): Entry[] => other.events.flatMap((event) => (event.type === 'entry' ? [event.body] : []));
    await until(() => delivered().some(isThis), 'the text has arrived');
    expect(textOf(delivered().find(isThis))).toBe(text);
    const { entries } = await other.call('log.page', { conversationId });
    expect(textOf(entries.find(isThis))).toBe(text);
    expectCleanLog([text]);
    await expectState(given, owner);
  });

const limitOf = (action: 'log.sync' | 'log.page', limit: number, { conversationId }: Scene): string =>
  frameOf(action, { conversationId, limit, ...(action === 'log.sync' && { after: { seq: 0, id: '0' } }) });

const limits = (action: 'log.sync' | 'log.page', max: number): Case =>
  inScene(async (given, scene) => {
    for (const limit of [0, max + 1, 1_001, 1_000_000_000]) {
      const text = limitOf(action, limit, scene);
      await expectRefused(given, scene.owner, 'VALIDATION_FAILED', { text, secrets: ['1000000000', '1001'] });
    }
    for (const limit of [1, max]) {
      expect((await scene.owner.ask(limitOf(action, limit, scene))).frame).toMatchObject({ ok: true });
    }
  });

/** A text of so many bytes in UTF-8, with about a third as many characters. */
const euros = (bytes: number): string => '€'.repeat(Math.floor(bytes / 3)) + 'x'.repeat(bytes % 3);

export const VALUES: Table = {
  'value-limit-range': {
    'log.sync': limits('log.sync', LIMITS.syncLimitMax),
    'log.page': limits('log.page', LIMITS.pageLimitMax),
  },
  'value-text-byte-limit': {
    'the longest text is accepted, and reads back': verbatim(euros(LIMITS.textMaxBytes)),
    'one byte more is refused': inScene(async (given, scene) => {
      const long = euros(LIMITS.textMaxBytes + 1);
      expect(long.length).toBeLessThan(LIMITS.textMaxBytes / 2);
      const text = sending(scene.conversationId, long);
      await expectRefused(given, scene.owner, 'PAYLOAD_TOO_LARGE', { text, secrets: ['€€€€€€€€'], label: 'euros' });
      await expectOnlyFirst(scene);
    }),
  },
  'value-lone-surrogate-cmid': {
    'is refused': inScene(async (given, scene) => {
      const { owner } = scene;
      for (const half of ['\\ud800', '\\udc00']) {
        const text = sendWith(scene, { clientMessageId: `@${CANARY}` }).replace('@', half);
        await expectRefused(given, owner, 'VALIDATION_FAILED', { text, secrets: [CANARY, 'clientMessageId"'] });
      }
      await expectOnlyFirst(scene);
    }),
  },
  'value-unicode-legal': {
    'an emoji sequence': verbatim('👩‍👩‍👧‍👦 and 🏳️‍🌈'),
    'a mark that turns the reading direction': verbatim('abc \u202e def \u2066 ghi'),
    'one letter with 5,000 accents': verbatim(`a${'\u0301'.repeat(5_000)}`),
    'half of a pair': verbatim('half \ud83d of a pair'),
  },
  'value-injection-strings': Object.fromEntries(
    [
      '<script>alert(1)</script>',
      "'; DROP TABLE messages;--",
      "x' AND message_id > 0 ALLOW FILTERING; --",
      '${jndi:ldap://x}',
      '{{7*7}}',
      'one\r\n{"level":"INFO","message":"two"}',
      '\u001b[2J\u001b[31mred\u0007',
      '"}],"events":[{"type":"entry"}]}',
    ].map((text) => [JSON.stringify(text), verbatim(text)]),
  ),
  'value-cmid-bad-form': {
    'is refused': refusesEach(
      () => [
        { clientMessageId: `${CANARY}${'0'.repeat(1_024)}` },
        { clientMessageId: 'not-a-uuid' },
        { clientMessageId: '../../x' },
      ],
      ['00000000', 'not-a-uuid', '../../x'],
    ),
  },
  'value-mentions': {
    'of 10,000 users is refused': refusesEach(
      () => [{ mentions: Array.from({ length: 10_000 }, (_, i) => `ben-${i}`) }],
      ['ben-1'],
    ),
    'of one more than allowed is refused': refusesEach(
      ({ owner }) => [{ mentions: Array.from({ length: LIMITS.mentionsMax + 1 }, () => owner.user.userId) }],
      [],
    ),
    'of who is no member is refused, and told to nobody': inScene(async (given, scene) => {
      const stranger = await given.world.connect();
      const { userId } = stranger.user;
      for (const mentions of [[userId], [scene.other.user.userId, userId], ['nobody-canary']]) {
        const text = sendWith(scene, { mentions });
        const secrets = [CANARY, userId, 'nobody-canary'];
        await expectRefused(given, scene.owner, 'VALIDATION_FAILED', { text, secrets });
      }
      await expectOnlyFirst(scene);
      await given.world.app.stream.idle();
      await stranger.call('heartbeat', {});
      expect(stranger.events).toEqual([]);
    }),
    'of the sender is allowed': inScene(async (given, scene) => {
      const { userId } = scene.owner.user;
      const { frame } = await scene.owner.ask(sendWith(scene, { mentions: [userId] }));
      expect(frame).toMatchObject({ ok: true });
      await expectState(given, scene.owner);
    }),
  },
  'value-reply-other-conversation': {
    'is not found': inScene(async (given, scene) => {
      const { world } = given;
      const { owner, other } = scene;
      const elsewhere = await world.group(owner, other);
      const { id } = await world.say(owner, elsewhere.conversationId, 'elsewhere');
      for (const fields of [{ replyToId: id }, { threadId: id }, { replyToId: scene.message.id, threadId: id }]) {
        await expectRefused(given, owner, 'NOT_FOUND', { text: sendWith(scene, fields), secrets: [id, CANARY] });
      }
      await expectOnlyFirst(scene);
    }),
  },
};
