import { setTimeout as wait } from 'node:timers/promises';
import { BenchClient, directOf, makeMany } from './bench-client.ts';
import type { RecordedApp } from './recorded-app.ts';

const WARM_UP = 20;
const TEXT = 'x'.repeat(128);
/** One user sends 50 messages a second at most. */
const PAUSE_MS = 20;

/** One message after the other between two: when it is acknowledged, and when it arrives. What is recorded is of these. */
export async function latencyOnEngines(
  { info, reset }: RecordedApp,
  rounds: number,
): Promise<{ latencies: number[]; acks: number[] }> {
  const run = crypto.randomUUID().slice(0, 8);
  const ana = await BenchClient.connect(info, `ana-${run}`);
  const ben = await BenchClient.connect(info, `ben-${run}`);
  const conversationId = await directOf(ana, ben.userId);
  const one = async (): Promise<{ latency: number; ack: number }> => {
    const arrived = nextEntry(ben);
    const startedAtMs = performance.now();
    await ana.send(conversationId, TEXT);
    const ack = performance.now() - startedAtMs;
    return { latency: (await arrived) - startedAtMs, ack };
  };
  for (let i = 0; i < WARM_UP; i++) await one();
  reset();
  const [latencies, acks]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    const { latency, ack } = await one();
    latencies.push(latency);
    acks.push(ack);
    await wait(PAUSE_MS);
  }
  for (const { socket } of [ana, ben]) socket.terminate();
  return { latencies, acks };
}

/** Messages in a group of which some are online: all calls, those of the last delivery included. */
export async function fanOutOnEngines(
  { info, calls, reset }: RecordedApp,
  { members, online, rounds }: { members: number; online: number; rounds: number },
): Promise<{ calls: string[]; messages: number }> {
  const run = crypto.randomUUID().slice(0, 8);
  const names = Array.from({ length: members }, (_, i) => `member-${run}-${String(i)}`);
  await makeMany(members, 10, (i) => fetch(info.tokenUrl!, tokenRequest(names[i] ?? '')));
  const clients = await makeMany(online, 5, (i) => BenchClient.connect(info, names[i] ?? ''));
  const [sender, ...others] = clients as [BenchClient, ...BenchClient[]];
  const { conversation } = await sender.request('conversation.create', {
    clientRequestId: crypto.randomUUID(),
    type: 'group',
    memberIds: names.slice(1),
  });
  const one = async (): Promise<void> => {
    const arrived = Promise.all(others.map(nextEntry));
    await sender.send(conversation.conversationId, TEXT);
    await arrived;
  };
  await one();
  reset();
  const messages = Math.max(1, Math.ceil(rounds));
  for (let i = 0; i < messages; i++) await one();
  const counted = [...calls];
  for (const { socket } of clients) socket.terminate();
  return { calls: counted, messages };
}

/** Messages a second that arrive when several pairs write at once, each the next one as soon as the last is acknowledged. */
export async function throughputOnEngines(
  { info }: RecordedApp,
  { pairs, perPair }: { pairs: number; perPair: number },
): Promise<number> {
  const run = crypto.randomUUID().slice(0, 8);
  const count = Math.max(1, Math.ceil(perPair));
  const senders = await makeMany(pairs, 4, (i) => BenchClient.connect(info, `from-${run}-${String(i)}`));
  const receivers = await makeMany(pairs, 4, (i) => BenchClient.connect(info, `to-${run}-${String(i)}`));
  const conversations = await makeMany(pairs, 4, (i) => directOf(senders[i]!, receivers[i]!.userId));
  const round = async (each: number): Promise<void> => {
    let missing = pairs * each;
    const all = new Promise<void>((resolve) => {
      for (const receiver of receivers) {
        receiver.onEvent = ({ type }) => {
          if (type === 'entry' && --missing === 0) resolve();
        };
      }
    });
    await Promise.all(
      senders.map(async (sender, i) => {
        for (let n = 0; n < each; n++) await sender.send(conversations[i]!, TEXT);
      }),
    );
    await all;
  };
  // An environment for each that writes at once.
  await round(1);
  const startedAtMs = performance.now();
  await round(count);
  const perSecond = (pairs * count * 1_000) / (performance.now() - startedAtMs);
  for (const { socket } of [...senders, ...receivers]) socket.terminate();
  return perSecond;
}

/** When the next entry arrives. */
function nextEntry(client: BenchClient): Promise<number> {
  return new Promise((resolve) => {
    client.onEvent = ({ type }) => {
      if (type === 'entry') resolve(performance.now());
    };
  });
}

function tokenRequest(userId: string): RequestInit {
  return { method: 'POST', body: JSON.stringify({ userId }) };
}
