import { BenchClient, directOf, makeMany } from './bench-client.ts';
import { percentile, type Figure } from './figures.ts';
import type { Peers } from './scenarios.ts';

const MEMBERS = 10;
const PAIRS = 10;
const ROUNDS = 3;
const TEXT = 'x'.repeat(128);
/** Between two messages of anybody. */
const PAUSE_MS = 80;

/**
 * Ten pairs talk, alone and beside one conversation with ten times the messages of each of them and nine times the recipients, in turns: how
 * much later do the pairs hear of each other for it. All of it shares one process, so that a load that fills its core would measure the core.
 */
export async function hotConversation({ parley, scale }: Peers): Promise<Figure[]> {
  const perPair = Math.ceil(40 * scale);
  const hot = await makeMany(MEMBERS, 10, (i) => BenchClient.connect(parley.info, `hot-${i}`));
  const memberIds = hot.map(({ userId }) => userId);
  const { conversation } = await hot[0]!.request('conversation.create', {
    clientRequestId: 'hot',
    type: 'group',
    memberIds,
  });
  const senders = await makeMany(PAIRS, 10, (i) => BenchClient.connect(parley.info, `calm-a-${i}`));
  const receivers = await makeMany(PAIRS, 10, (i) => BenchClient.connect(parley.info, `calm-b-${i}`));
  const pairs = await Promise.all(
    senders.map(async (sender, i) => {
      const receiver = receivers[i]!;
      return { sender, receiver, conversationId: await directOf(sender, receiver.userId) };
    }),
  );
  const talk = async (): Promise<number[]> => (await Promise.all(pairs.map((pair) => exchange(pair, perPair)))).flat();
  await talk();
  const [alone, beside]: [number[], number[]] = [[], []];
  let accepted = 0;
  let hotMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...(await talk()));
    const startedAt = performance.now();
    const load = sendUntilStopped(hot, conversation.conversationId);
    beside.push(...(await talk()));
    accepted += await load.stop();
    hotMs += performance.now() - startedAt;
  }
  [...hot, ...senders, ...receivers].forEach(({ socket }) => socket.terminate());
  const ratio = (share: number): number => percentile(beside, share) / percentile(alone, share);
  return [
    { name: 'entries per second in a hot conversation', value: (accepted * 1_000) / hotMs, unit: '/s' },
    { name: 'p99 of ten pairs beside it', value: percentile(beside, 0.99), unit: 'ms' },
    { name: 'p50 of them, of what it is without', value: ratio(0.5), unit: '×' },
    { name: 'p99 of them, of what it is without', value: ratio(0.99), unit: '×', goal: '≤ 2 ×' },
  ];
}

interface Pair {
  readonly sender: BenchClient;
  readonly receiver: BenchClient;
  readonly conversationId: string;
}

async function exchange({ sender, receiver, conversationId }: Pair, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const arrived = new Promise<number>((resolve) => (receiver.onEvent = () => resolve(performance.now())));
    const startedAt = performance.now();
    await sender.send(conversationId, TEXT);
    times.push((await arrived) - startedAt);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return times;
}

/** Each member at the pace of the pairs. Answers how many messages were accepted. */
function sendUntilStopped(members: readonly BenchClient[], conversationId: string): { stop(): Promise<number> } {
  let isStopped = false;
  let accepted = 0;
  const loops = members.map(async (member) => {
    while (!isStopped) {
      const isAccepted = await member.send(conversationId, TEXT).then(
        () => true,
        () => false,
      );
      if (isAccepted) accepted++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  });
  return {
    stop: async () => {
      isStopped = true;
      await Promise.all(loops);
      return accepted;
    },
  };
}
