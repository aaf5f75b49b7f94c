import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { BenchClient, connectBare, directOf, makeMany } from './bench-client.ts';
import { percentile, type Figure } from './figures.ts';
import type { ServerProcess } from './server-process.ts';

export interface Peers {
  readonly parley: ServerProcess;
  readonly floor: ServerProcess;
  /** 1 for the full size; less for a quick look. */
  readonly scale: number;
}

const TEXT = 'x'.repeat(128);
const ROUNDS = 3;

/** One message at a time from one user to another: from `send` to the event at the other end. */
export async function latency({ parley, floor, scale }: Peers): Promise<Figure[]> {
  const count = Math.ceil(200 * scale);
  const [ana, ben] = [await BenchClient.connect(parley.info, 'lat-a'), await BenchClient.connect(parley.info, 'lat-b')];
  const conversationId = await directOf(ana, 'lat-b');
  const bare = await connectBare(floor.info);
  const [ours, theirs, acks]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < count; i++) {
      const arrived = new Promise<number>((resolve) => (ben.onEvent = () => resolve(performance.now())));
      const startedAt = performance.now();
      await ana.send(conversationId, TEXT);
      acks.push(performance.now() - startedAt);
      ours.push((await arrived) - startedAt);
      await pause();
    }
    for (let i = 0; i < count; i++) {
      const startedAt = performance.now();
      bare.send(TEXT);
      await once(bare, 'message');
      theirs.push(performance.now() - startedAt);
    }
  }
  [ana.socket, ben.socket, bare].forEach((socket) => socket.terminate());
  return [
    { name: '1:1 delivery p50', value: percentile(ours, 0.5), unit: 'ms', floor: percentile(theirs, 0.5) },
    {
      name: '1:1 delivery p99',
      value: percentile(ours, 0.99),
      unit: 'ms',
      floor: percentile(theirs, 0.99),
      goal: '≤ 100 ms',
    },
    { name: '1:1 ack p50', value: percentile(acks, 0.5), unit: 'ms', floor: percentile(theirs, 0.5) },
  ];
}

/** A user sends 50 messages a second in their own name, so one sender alone must stay below that. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));

/** A group of 100 with one connection each: from `send` until the last has it. */
export async function fanOut({ parley, floor, scale }: Peers): Promise<Figure[]> {
  const size = 100;
  const count = Math.ceil(30 * scale);
  const members = await makeMany(size, 20, (i) => BenchClient.connect(parley.info, `fan-${i}`));
  const sender = members[0]!;
  const memberIds = members.map(({ userId }) => userId);
  const { conversation } = await sender.request('conversation.create', {
    clientRequestId: 'fan',
    type: 'group',
    memberIds,
  });
  const bare = await makeMany(size, 20, () => connectBare(floor.info));
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < count; i++) {
      const all = Promise.all(
        members.slice(1).map(
          (m) =>
            new Promise<void>((resolve) => {
              m.onEvent = ({ type }) => {
                if (type === 'entry') resolve();
              };
            }),
        ),
      );
      const startedAt = performance.now();
      await sender.send(conversation.conversationId, TEXT);
      await all;
      ours.push(performance.now() - startedAt);
    }
    for (let i = 0; i < count; i++) {
      const all = Promise.all(bare.slice(1).map((socket) => once(socket, 'message')));
      const startedAt = performance.now();
      bare[0]!.send(`*${TEXT}`);
      await all;
      theirs.push(performance.now() - startedAt);
    }
  }
  [...members.map(({ socket }) => socket), ...bare].forEach((socket) => socket.terminate());
  return [
    { name: 'fan-out to 100, last one p50', value: percentile(ours, 0.5), unit: 'ms', floor: percentile(theirs, 0.5) },
    {
      name: 'fan-out to 100, last one p99',
      value: percentile(ours, 0.99),
      unit: 'ms',
      floor: percentile(theirs, 0.99),
    },
  ];
}

/** 50 pairs, each with two messages under way, until all have been delivered. */
export async function throughput({ parley, floor, scale }: Peers): Promise<Figure[]> {
  const pairs = 50;
  const perPair = Math.ceil(60 * scale);
  const senders = await makeMany(pairs, 20, (i) => BenchClient.connect(parley.info, `thr-a-${i}`));
  const receivers = await makeMany(pairs, 20, (i) => BenchClient.connect(parley.info, `thr-b-${i}`));
  const conversations = await Promise.all(senders.map((sender, i) => directOf(sender, `thr-b-${i}`)));
  const bare = await makeMany(pairs, 20, () => connectBare(floor.info));
  const [ours, theirs, cpu]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    let delivered = 0;
    const all = new Promise<void>((resolve) => {
      for (const receiver of receivers) {
        receiver.onEvent = ({ type }) => {
          if (type === 'entry' && ++delivered === pairs * perPair) resolve();
        };
      }
    });
    const before = await parley.figures();
    const startedAt = performance.now();
    await Promise.all(
      senders.flatMap((sender, i) =>
        [0, 1].map(async (lane) => {
          for (let n = lane; n < perPair; n += 2) await sender.send(conversations[i]!, TEXT);
        }),
      ),
    );
    await all;
    ours.push((pairs * perPair * 1_000) / (performance.now() - startedAt));
    cpu.push(((await parley.figures()).cpuMs - before.cpuMs) / (pairs * perPair));
    theirs.push(await echoesPerSecond(bare, perPair));
  }
  [...senders, ...receivers].forEach(({ socket }) => socket.terminate());
  bare.forEach((socket) => socket.terminate());
  return [
    { name: 'messages per second, 1:1', value: percentile(ours, 0.5), unit: '/s', floor: percentile(theirs, 0.5) },
    { name: 'CPU per message, all of the server', value: percentile(cpu, 0.5), unit: 'ms' },
  ];
}

async function echoesPerSecond(sockets: readonly WebSocket[], perSocket: number): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      for (let n = 0; n < perSocket; n++) {
        socket.send(TEXT);
        await once(socket, 'message');
      }
    }),
  );
  return (sockets.length * perSocket * 1_000) / (performance.now() - startedAt);
}

/** Resident memory that each idle connection costs. The floor is what the socket itself costs under bare `ws`. */
export async function idle({ parley, floor, scale }: Peers): Promise<Figure[]> {
  const count = Math.ceil(2_000 * scale);
  const ours = await perConnection(
    parley,
    count,
    async (i) => (await BenchClient.connect(parley.info, `idle-${i}`)).socket,
  );
  const theirs = await perConnection(floor, count, () => connectBare(floor.info));
  return [
    { name: `memory per idle connection (${count})`, value: ours, unit: 'KB', floor: theirs },
    { name: 'of it beyond the socket', value: ours - theirs, unit: 'KB', goal: '≤ 10 KB' },
  ];
}

/** In KB. A first crowd comes and goes before, so that compiled code and caches do not count as connections. */
async function perConnection(server: ServerProcess, count: number, connect: (i: number) => Promise<WebSocket>) {
  const warm = await makeMany(Math.ceil(count / 10), 50, (i) => connect(count + i));
  await Promise.all(
    warm.map((socket) => {
      socket.close();
      return once(socket, 'close');
    }),
  );
  const before = await server.figures();
  const sockets = await makeMany(count, 50, connect);
  const after = await server.figures();
  sockets.forEach((socket) => socket.terminate());
  return (after.rssBytes - before.rssBytes) / count / 1_024;
}
