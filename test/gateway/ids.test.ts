import { commonLogTime } from '../../local/gateway/events.ts';
import { isConnectionId, newId, newMessageId } from '../../local/gateway/ids.ts';

it('makes ids of 11 random bytes in base64url that end in one =', () => {
  const ids = Array.from({ length: 2_000 }, newId);
  for (const id of ids) {
    expect(id).toMatch(/^[\w-]{15}=$/);
    expect(Buffer.from(id, 'base64url')).toHaveLength(11);
    expect(isConnectionId(id)).toBe(true);
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.some((id) => id.includes('-')) && ids.some((id) => id.includes('_'))).toBe(true);
});

it('makes message ids that end as the id of their connection does, and differ', () => {
  const connectionId = newId();
  const ids = Array.from({ length: 100 }, () => newMessageId(connectionId));
  for (const id of ids) {
    expect(isConnectionId(id)).toBe(true);
    expect(id.slice(-5)).toBe(connectionId.slice(-5));
  }
  expect(new Set(ids).size).toBe(ids.length);
});

it.each([
  '',
  '=',
  'test-connection-123',
  'AAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAA==',
  'AAAAAAAAAAAAAA+=',
])('%s is no connection id', (id) => expect(isConnectionId(id)).toBe(false));

it.each([
  [Date.UTC(2024, 1, 19, 7, 11, 42, 789), '19/Feb/2024:07:11:42 +0000'],
  [0, '01/Jan/1970:00:00:00 +0000'],
  [Date.UTC(2026, 11, 31, 23, 59, 59, 999), '31/Dec/2026:23:59:59 +0000'],
])('writes %d as %s', (atMs, text) => expect(commonLogTime(atMs)).toBe(text));
