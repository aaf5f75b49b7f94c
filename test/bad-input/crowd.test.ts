import { LIMITS } from '@parley/protocol';
import { watchCrashes } from './support/crashes.ts';
import { until } from './support/until.ts';
import type { Wire } from './support/wire.ts';
import { World } from './support/world.ts';

const AT_ONCE = 100;

jest.setTimeout(60_000);

it(`leaves a user who opens ${AT_ONCE} connections at once with as many as allowed, all of which work, and no other open`, async () => {
  const { crashes, stop } = watchCrashes();
  const world = await World.start();
  try {
    const [user, other] = [world.newUser(), await world.connect()];
    const opened = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => world.connect(user)));
    const wires = opened.flatMap((result): Wire[] => (result.status === 'fulfilled' ? [result.value] : []));
    const open = (): Wire[] => wires.filter(({ isOpen }) => isOpen);
    await until(() => open().length === LIMITS.connectionsPerUserMax, 'just those that are allowed are open');
    expect(await world.connectionIds(user)).toHaveLength(LIMITS.connectionsPerUserMax);
    const { conversationId } = await world.group(other, open()[0]!);
    const { id } = await world.say(other, conversationId, 'hello');
    await until(() => open().every(({ raw }) => raw.some((frame) => frame.includes(id))), 'each of them gets it');
    expect(crashes).toEqual([]);
  } finally {
    stop();
    await world.close();
  }
});
