import { randomUUID } from 'node:crypto';
import { compareIds, idTimeMs, LIMITS } from '@parley/protocol';
import { replace } from './support/intercept.ts';
import { audit } from './support/audit.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

let stage: Stage;
let ana: Socket;
let ben: Socket;
let group: string;

beforeEach(async () => {
  stage = new Stage();
  ana = await stage.connect('ana');
  ben = await stage.connect('ben');
  group = await stage.group(ana, ben);
});

describe('a send', () => {
  it('takes the next number, says so, and is in the log by then', async () => {
    const first = await ana.send(group, 'one');
    const second = await ben.send(group, 'two');
    expect([first.seq, second.seq]).toEqual([1, 2]);
    expect(first).toEqual({ conversationId: group, id: first.id, seq: 1, sentAtMs: stage.clock.now() });
    const { messages } = await audit(stage, ana.keyOf(group), 'ana');
    expect(messages.map(({ id, senderId, deviceId }) => ({ id, senderId, deviceId }))).toEqual([
      { id: first.id, senderId: 'ana', deviceId: 'phone' },
      { id: second.id, senderId: 'ben', deviceId: 'phone' },
    ]);
    expect(messages[0]?.expiresAtMs).toBe(first.sentAtMs + LIMITS.entryTtlMs);
  });

  it('reaches each member once, and the sender on every connection but the one that has the reply', async () => {
    const tablet = await stage.connect('ana', { deviceId: 'tablet' });
    const { id, seq, sentAtMs } = await ana.send(group, 'hello');
    await stage.settled();
    const clientMessageId = expect.any(String) as string;
    const content = { type: 'text', text: 'hello' };
    const entry = {
      conversationId: group,
      id,
      seq,
      kind: 'message',
      senderId: 'ana',
      sentAtMs,
      clientMessageId,
      content,
    };
    for (const socket of [ben, tablet]) {
      expect(socket.events.filter(({ type }) => type === 'entry')).toEqual([{ type: 'entry', body: entry }]);
    }
    expect(ana.events.filter(({ type }) => type === 'entry')).toEqual([]);
  });

  it('keeps the text byte for byte', async () => {
    const text = 'e\u0301 \u{1F469}\u200d\u{1F4BB} \u202eabc \ufeff \u0001 "quoted" \\n';
    await ana.send(group, text);
    const { entries } = await ben.ok('log.sync', { conversationId: group, after: { seq: 0, id: '0' } });
    expect(entries).toEqual([expect.objectContaining({ content: { type: 'text', text } })]);
  });

  it('is refused to a stranger', async () => {
    const cleo = await stage.connect('cleo');
    expect(await cleo.refused('message.send', sendBody(group, 'let me in'))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await audit(stage, ana.keyOf(group), 'ana')).headSeq).toBe(0);
  });

  it('is refused on a connection that is no longer registered, whose socket is then closed', async () => {
    await stage.directory.removeConnection(ana.user, ana.connectionId);
    expect(await ana.refused('message.send', sendBody(group, 'still here'))).toMatchObject({ code: 'UNAUTHENTICATED' });
    await stage.settled();
    expect(stage.gateway.closed).toEqual([ana.connectionId]);
    expect((await audit(stage, ben.keyOf(group), 'ben')).headSeq).toBe(0);
  });

  it('is authorized anew when the roster changed before its number was taken', async () => {
    let refusals = 0;
    const services = replace(stage.services, 'directory', {
      takeNumber: ({ proceed }) => (++refusals > 2 ? proceed() : Promise.resolve({ taken: false })),
    });
    const { seq } = await ana.send(group, 'hello', { services });
    expect({ seq, refusals }).toEqual({ seq: 1, refusals: 3 });
  });

  it('gives up for now when the roster never stands still', async () => {
    let refusals = 0;
    const services = replace(stage.services, 'directory', {
      takeNumber: () => Promise.resolve({ taken: false, refusals: ++refusals }),
    });
    const error = await ana.refused('message.send', sendBody(group, 'hello'), services);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true, retryAfterMs: 1_000 });
    expect(refusals).toBe(LIMITS.appendAttemptsMax);
  });
});

describe('the same send again', () => {
  const clientMessageId = '8d4b1a0e-0000-4000-8000-00000000000a';

  it('gets the original answer, from any device and at any later time', async () => {
    const original = await ana.send(group, 'once', { clientMessageId });
    const tablet = await stage.connect('ana', { deviceId: 'tablet' });
    await ben.send(group, 'in between');
    stage.clock.advance(60_000);
    expect(await ana.send(group, 'once', { clientMessageId })).toEqual(original);
    expect(await tablet.send(group, 'once', { clientMessageId })).toEqual(original);
    expect((await audit(stage, ana.keyOf(group), 'ana')).messages).toHaveLength(2);
  });

  it('is a conflict when it says something else, whatever the difference', async () => {
    const target = await ben.send(group, 'target');
    await ana.send(group, 'once', { clientMessageId });
    const others = [{ text: 'twice' }, { replyToId: target.id }, { threadId: target.id }, { mentions: ['ben'] }];
    for (const { text = 'once', ...fields } of others) {
      const error = await ana.refused('message.send', sendBody(group, text, { clientMessageId, ...fields }));
      expect(error).toMatchObject({ code: 'CONFLICT', temporary: false });
    }
    expect((await audit(stage, ana.keyOf(group), 'ana')).headSeq).toBe(2);
  });

  it('is another message from another user, or in another conversation', async () => {
    const other = await stage.group(ana, ben);
    const answers = [
      await ana.send(group, 'mine', { clientMessageId }),
      await ben.send(group, 'mine', { clientMessageId }),
      await ana.send(other, 'mine', { clientMessageId }),
    ];
    expect(new Set(answers.map(({ id }) => id)).size).toBe(3);
  });

  it('is published once when the first was, and again when it was not', async () => {
    const published: unknown[] = [];
    const services = replace(stage.services, 'stream', {
      publish: ({ args, proceed }) => (published.push(args[0]), proceed()),
    });
    await ana.send(group, 'once', { clientMessageId, services });
    await ana.send(group, 'once', { clientMessageId, services });
    expect(published).toHaveLength(1);
    await stage.presence.unmark(`pub:${ana.keyOf(group)}:1`);
    await ana.send(group, 'once', { clientMessageId, services });
    expect(published).toHaveLength(2);
  });

  it('writes nothing and announces nothing once the entry has ended', async () => {
    const key = { conversation: ana.keyOf(group), userId: 'ana', clientKey: clientMessageId };
    const original = await ana.send(group, 'once', { clientMessageId });
    const standing = (await stage.directory.readForAppend(key, ana.user, ana.connectionId)).dedupe;
    const ended = { ...standing!, id: '77', seq: 9, expiresAtMs: stage.clock.now() };
    await stage.directory.repoint(key, original.id, ended);
    await stage.settled();
    stage.gateway.posts.length = 0;
    expect(await ana.send(group, 'once', { clientMessageId })).toMatchObject({ id: '77', seq: 9 });
    await stage.settled();
    expect(await stage.log.get(ana.keyOf(group), '77')).toBeUndefined();
    expect((await stage.log.after(ana.keyOf(group), '0', 10)).map(({ id }) => id)).toEqual([original.id]);
    expect(stage.gateway.posts).toEqual([]);
  });
});

describe('what a message refers to', () => {
  it('is a message of the same conversation', async () => {
    const { id } = await ana.send(group, 'target');
    for (const field of ['replyToId', 'threadId'] as const) {
      const sent = await ben.send(group, field, { [field]: id });
      const { entries } = await ana.ok('log.page', { conversationId: group, limit: 1 });
      expect(entries).toEqual([expect.objectContaining({ id: sent.id, [field]: id })]);
    }
  });

  it('is not unknown, void, or of another conversation', async () => {
    const elsewhere = await ana.send(await stage.group(ana, ben), 'elsewhere');
    await ana.send(group, 'first');
    const key = ana.keyOf(group);
    const { head } = (await stage.directory.membership(key, 'ana'))!;
    const request = { conversation: key, id: '5', step: 1, nonce: 'n', rosterVersion: head.rosterVersion };
    const number = await stage.directory.takeNumber(request);
    if (!number.taken) throw new Error('no number');
    const ends = { sentAtMs: stage.clock.now(), expiresAtMs: stage.clock.now() + LIMITS.entryTtlMs };
    await stage.log.insertIfAbsent({ conversation: key, id: number.id, seq: number.seq, kind: 'void', ...ends });
    for (const id of ['1', number.id, elsewhere.id]) {
      for (const field of ['replyToId', 'threadId']) {
        const error = await ana.refused('message.send', { ...sendBody(group, 'to what'), [field]: id });
        expect(error).toMatchObject({ code: 'NOT_FOUND', message: `${field} names no message of this conversation.` });
      }
    }
    expect((await audit(stage, key, 'ana')).headSeq).toBe(2);
  });

  it('names members only, in small conversations and in large ones', async () => {
    const crowd = await Promise.all(Array.from({ length: 40 }, (_, i) => stage.connect(`user${i}`)));
    const large = await stage.group(ana, ben, ...crowd);
    await stage.connect('cleo');
    for (const conversationId of [group, large]) {
      await ana.send(conversationId, 'hey', { mentions: ['ben', 'ana'] });
      const error = await ana.refused('message.send', sendBody(conversationId, 'hey', { mentions: ['ben', 'cleo'] }));
      expect(error).toMatchObject({ code: 'VALIDATION_FAILED', message: 'mentions must name members only.' });
    }
  });

  it('is not looked up again for a repeat, which answers the original', async () => {
    const clientMessageId = randomUUID();
    const { id } = await ana.send(group, 'target');
    const original = await ben.send(group, 'reply', { replyToId: id, clientMessageId });
    const services = replace(stage.services, 'log', { get: () => Promise.resolve(undefined) });
    expect(await ben.send(group, 'reply', { replyToId: id, clientMessageId, services })).toEqual(original);
  });
});

describe('ids', () => {
  it('carry the time of the sender while its clock goes on', async () => {
    const { id } = await ana.send(group);
    expect(idTimeMs(id)).toBe(stage.clock.now());
  });

  it('rise with the numbers when the clock jumps back, and follow it again later', async () => {
    const jumps = [0, -3_600_000, -1, 0, -86_400_000, 5, 90_000_000];
    const sent: { id: string; seq: number }[] = [];
    for (const jump of jumps) {
      stage.clock.advance(jump);
      sent.push(await ana.send(group));
    }
    expect(sent.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const [i, { id }] of sent.entries()) {
      if (i > 0) expect(compareIds(id, sent[i - 1]!.id)).toBeGreaterThan(0);
    }
    expect(idTimeMs(sent.at(-1)!.id)).toBe(stage.clock.now());
  });
});
