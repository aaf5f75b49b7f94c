import { randomUUID } from 'node:crypto';
import { LIMITS, type Entry } from '@parley/protocol';
import type { Directory, NumberRequest } from '../../lambdas/ports/directory/port.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { replace } from './support/intercept.ts';
import { Shuffle } from './support/shuffle.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

const SEEDS = Array.from({ length: 150 }, (_, i) => i + 1);
const MESSAGES = 4;
const zero = { seq: 0, id: '0' };

type Change = (services: Services) => Services;

const entriesOf = (socket: Socket): Entry[] =>
  socket.events.flatMap(({ type, body }) => (type === 'entry' ? [body] : []));

/** members change while others send and deliver fans out, every port call in an order that follows from the seed. Says what is broken. */
async function race(seed: number, plant: Change = (services) => services) {
  const shuffle = new Shuffle(seed);
  let isShuffled = false;
  // Sender, deliver and repair alike: the stage gives each of them these services.
  const stage = new Stage((services) => {
    const shuffled = shuffle.wrap(plant(services));
    return replaceWhen(services, shuffled, () => isShuffled);
  });
  const [ana, ben, cleo] = [await stage.connect('ana'), await stage.connect('ben'), await stage.connect('cleo')];
  const group = await stage.group(ana, ben);
  isShuffled = true;
  const change = (action: 'member.add' | 'member.remove', userId: string) =>
    ana.ok(action, { conversationId: group, clientRequestId: randomUUID(), userId });
  const sends = Array.from({ length: MESSAGES }, (_, i) => ana.ok('message.send', sendBody(group, `text ${i}`)));
  const [removed, added, sent] = await Promise.all([
    change('member.remove', 'ben'),
    change('member.add', 'cleo'),
    Promise.all(sends),
  ]);
  await stage.settled();
  isShuffled = false;
  const { conversation } = await cleo.ok('conversation.get', { conversationId: group });
  const { joinedSeq } = conversation.me;
  const log = (await ana.ok('log.sync', { conversationId: group, after: zero })).entries;
  const [bens, cleos] = [entriesOf(ben), entriesOf(cleo)].map((entries) => new Set(entries.map(({ seq }) => seq)));
  const broken = [
    ...[...bens!].filter((seq) => seq > removed.seq).map((seq) => `the removed member got ${seq} after ${removed.seq}`),
    ...log.filter(({ seq }) => seq > joinedSeq && !cleos!.has(seq)).map(({ seq }) => `the added member misses ${seq}`),
    ...[...cleos!]
      .filter((seq) => seq <= joinedSeq)
      .map((seq) => `the added member got ${seq}, joined at ${joinedSeq}`),
    ...(log.length === MESSAGES + 2 ? [] : [`${log.length} entries`]),
  ];
  const after = (seq: number): number => sent.filter((one) => one.seq > seq).length;
  return { broken, afterRemoval: after(removed.seq), afterJoin: after(added.seq) };
}

/** The one set of services or the other, asked anew at every use. */
function replaceWhen(plain: Services, other: Services, isOther: () => boolean): Services {
  return new Proxy(plain, { get: (_, name: keyof Services) => (isOther() ? other : plain)[name] });
}

async function brokenIn(plant: Change): Promise<string[]> {
  const all: string[] = [];
  for (const seed of SEEDS) all.push(...(await race(seed, plant)).broken);
  return all;
}

describe('a change of members beside sends and fan-out', () => {
  it('gives who was removed nothing after, and who was added all from then on, in every order', async () => {
    const orders = new Set<string>();
    for (const seed of SEEDS) {
      const { broken, afterRemoval, afterJoin } = await race(seed);
      expect({ seed, broken }).toEqual({ seed, broken: [] });
      orders.add(`${afterRemoval} ${afterJoin}`);
    }
    // The changes fell before, between and after the sends.
    expect(orders.size).toBeGreaterThan(8);
  });

  it('would be found broken if a number were taken whoever is a member by then', async () => {
    const broken = await brokenIn((services) =>
      replace(services, 'directory', {
        takeNumber: async ({ args }) => {
          const request = args[0] as NumberRequest;
          const head = await services.directory.head(request.conversation);
          return services.directory.takeNumber({ ...request, rosterVersion: head?.rosterVersion ?? 0 });
        },
      }),
    );
    expect(broken.filter((what) => what.startsWith('the removed member got'))).not.toEqual([]);
    expect(broken.filter((what) => what.startsWith('the added member misses'))).not.toEqual([]);
  });

  it('would be found broken if the stream asked a roster that was read before', async () => {
    const known = new Map<unknown, ReturnType<Directory['members']>>();
    const broken = await brokenIn((services) => {
      known.clear();
      return replace(services, 'directory', {
        members: ({ args }) => {
          const page =
            known.get(args[0]) ?? services.directory.members(args[0] as never, undefined, LIMITS.memberPageMax);
          known.set(args[0], page);
          return page;
        },
      });
    });
    expect(broken).not.toEqual([]);
  });
});
