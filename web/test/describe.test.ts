import type { ConversationView, Message } from '@parley/client';
import { membersLine, partnerOf, plural, previewOf, titleOf, typingLine } from '../src/model/describe.ts';

const NAMES: Readonly<Record<string, string>> = { ana: 'Ana', ben: 'Ben', cleo: 'Cléo', dan: 'Dan', eve: 'Eve' };
const nameOf = (userId: string): string => NAMES[userId] ?? userId;

function conversation(
  type: 'direct' | 'group',
  userIds: readonly string[] | undefined,
  title?: string,
): ConversationView {
  return {
    conversationId: 'c',
    type,
    ...(title !== undefined && { title }),
    memberCount: userIds?.length ?? 40,
    ...(userIds && { members: userIds.map((userId) => ({ userId, role: 'member' as const })) }),
    headSeq: 0,
    role: 'member',
    readSeq: 0,
    deliveredSeq: 0,
    unread: 0,
    receipts: new Map(),
    typing: [],
    hasOlder: false,
    loadingOlder: false,
    createdAtMs: 0,
    gone: false,
  };
}

it('calls a direct conversation by the other one, a group by its title or its people', () => {
  expect(titleOf(conversation('direct', ['ana', 'ben']), 'ana', nameOf)).toBe('Ben');
  expect(titleOf(conversation('group', ['ana', 'ben'], 'Harbour'), 'ana', nameOf)).toBe('Harbour');
  expect(titleOf(conversation('group', ['ana', 'ben', 'cleo']), 'ana', nameOf)).toBe('Ben, Cléo');
  expect(titleOf(conversation('group', ['ana', 'ben', 'cleo', 'dan', 'eve']), 'ana', nameOf)).toBe(
    'Ben, Cléo, Dan and 1 more',
  );
  expect(titleOf(conversation('group', undefined), 'ana', nameOf)).toBe('Group');
});

it('finds the other one of a direct conversation only', () => {
  expect(partnerOf(conversation('direct', ['ana', 'ben']), 'ana')).toBe('ben');
  expect(partnerOf(conversation('group', ['ana', 'ben']), 'ana')).toBeUndefined();
});

it('lists members where they are known, and else counts them', () => {
  expect(membersLine(conversation('group', ['cleo', 'ana', 'ben']), 'ana', nameOf)).toBe('Ben, Cléo, you');
  expect(membersLine(conversation('group', undefined), 'ana', nameOf)).toBe('40 members');
});

it('previews the last message with its sender where that is not plain', () => {
  const message = (mine: boolean, text: string): Message => ({
    key: 'k',
    conversationId: 'c',
    senderId: mine ? 'ana' : 'ben',
    mine,
    text,
    content: { type: 'text', text },
    sentAtMs: 0,
    status: mine ? 'sent' : 'received',
  });
  expect(previewOf(message(true, 'Hi'), false, nameOf)).toBe('You: Hi');
  expect(previewOf(message(false, 'Hi'), false, nameOf)).toBe('Hi');
  expect(previewOf(message(false, 'Hi'), true, nameOf)).toBe('Ben: Hi');
  expect(previewOf(message(false, 'x'.repeat(20_000)), false, nameOf)).toHaveLength(121);
});

it('says who is typing', () => {
  expect(typingLine([], nameOf)).toBe('');
  expect(typingLine(['ben'], nameOf)).toBe('Ben is typing');
  expect(typingLine(['ben', 'cleo'], nameOf)).toBe('Ben and Cléo are typing');
  expect(typingLine(['ben', 'cleo', 'dan'], nameOf)).toBe('Several people are typing');
});

it('counts in words', () => {
  expect(plural(1, 'message')).toBe('1 message');
  expect(plural(0, 'message')).toBe('0 messages');
  expect(plural(2, 'person', 'people')).toBe('2 people');
});
