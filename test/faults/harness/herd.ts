import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { memoryStorage, ParleyClient, type ClientOptions } from '../../../client/src/index.ts';
import { systemClock } from '../../../client/src/options.ts';
import { startLocalApp, type LocalApp } from '../../../local/embedded/app.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { tokenFor } from './place.ts';
import { until } from './until.ts';

/** As many as one may watch. */
const WATCHED_MAX = 200;
const GROUP_SIZE = 20;
/** One in so many is a member of a group in which something is said during the cut. */
const CHANGED_EVERY = 4;
const WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;
const OPENED_AT_ONCE = 50;
const TEXT = 'said meanwhile';

/** What this machine holds back beyond this moves so much together that the rate says nothing. */
export const HELD_BACK_MAX_MS = 500;

/** How many may be accepted in one second, where so many are to, and the machine held some back. */
export function allowedPerSecond(perSecond: number, { heldBackMs }: HerdFigures): number {
  return perSecond * (1 + Math.min(heldBackMs, HELD_BACK_MAX_MS) / 1_000);
}

export interface HerdFigures {
  /** From the cut until the last client was online and had what was said meanwhile. */
  readonly tookMs: number;
  /** Sockets that the gateway accepted in the busiest second. */
  readonly acceptedMaxPerSecond: number;
  /** What this machine held an attempt back at most: a stall of its process, and its handshake. So much later it counts at most. */
  readonly heldBackMs: number;
  /** Sockets that were asked for, accepted or not. */
  readonly attempts: number;
  /** Most requests of any client, beside one for each conversation that changed. */
  readonly callsMax: number;
  /** Clients of which something was said in a conversation meanwhile. */
  readonly changed: number;
  /** What a watcher was told of people who never left. */
  readonly flaps: readonly string[];
}

/** Cuts the sockets of so many SDK clients at once, on embedded stores behind the gateway as it is by default. */
export async function cutHerd(size: number, random: () => number, options: Partial<ClientOptions> = {}) {
  const app = await startLocalApp();
  const { hostname, port, pathname } = new URL(app.socketUrl);
  const network = new TcpProxy({ host: hostname, port: Number(port) });
  await network.listen();
  const herd = Array.from({ length: size }, (_, i) => {
    return new Beast(app, `u${i}`, `ws://127.0.0.1:${network.port}${pathname}`, random, options);
  });
  const watcher = new Beast(app, 'watcher', app.socketUrl, random, options);
  try {
    await watcher.client.connect();
    for (let at = 0; at < size; at += OPENED_AT_ONCE) {
      await Promise.all(herd.slice(at, at + OPENED_AT_ONCE).map(({ client }) => client.connect()));
    }
    await until(() => herd.every(({ client }) => client.state === 'online'), 'all are online', WITHIN_MS);
    return await cut(herd, watcher, network);
  } finally {
    await Promise.all([watcher, ...herd].map(({ client }) => client.close()));
    await network.close();
    await app.close();
  }
}

async function cut(herd: readonly Beast[], watcher: Beast, network: TcpProxy): Promise<HerdFigures> {
  const changed = herd.filter((_, i) => i % CHANGED_EVERY === 0);
  for (let at = 0; at < changed.length; at += GROUP_SIZE) {
    const members = changed.slice(at, at + GROUP_SIZE);
    const memberIds = members.map(({ userId }) => userId);
    const { conversationId } = await watcher.client.createGroup({ title: 'Changed', memberIds });
    for (const member of members) member.group = conversationId;
  }
  await until(() => changed.every((beast) => beast.knowsGroup), 'all know their groups', WITHIN_MS);
  const flaps: string[] = [];
  const userIds = herd.slice(0, WATCHED_MAX).map(({ userId }) => userId);
  const look = async (): Promise<void> => {
    const { presence } = await watcher.client.request('presence.watch', { userIds });
    for (const { userId, state } of presence) if (state !== 'online') flaps.push(`${userId} ${state}`);
  };
  await look();
  watcher.client.on('presence', ({ userId, state }) => flaps.push(`${userId} ${state}`));
  for (const beast of herd) beast.forget();

  const stalls = monitorEventLoopDelay({ resolution: 10 });
  stalls.enable();
  const cutAtMs = Date.now();
  network.cut();
  await until(() => herd.every(({ wasCut }) => wasCut), 'all have noticed');
  const groups = new Set(changed.map(({ group }) => group));
  for (const group of groups) await watcher.client.send(group, { text: TEXT });
  const isWhole = (): boolean => herd.every((beast) => beast.client.state === 'online' && beast.hasHeard);
  while (!isWhole()) {
    if (Date.now() - cutAtMs > WITHIN_MS) throw new Error('not all are back with what was said');
    await look();
    await wait(LOOK_EVERY_MS);
  }
  const tookMs = Date.now() - cutAtMs;
  stalls.disable();
  await until(() => herd.every(({ heartbeats }) => heartbeats > 0), 'all have beaten');
  await look();
  return {
    tookMs,
    acceptedMaxPerSecond: busiestSecond(herd.flatMap(({ acceptedAtMs }) => acceptedAtMs)),
    heldBackMs: Math.ceil(stalls.max / 1e6) + Math.max(...herd.map(({ handshakeMs }) => handshakeMs)),
    attempts: herd.reduce((sum, { attempts }) => sum + attempts, 0),
    callsMax: Math.max(...herd.map(({ calls, group }) => calls - (group === '' ? 0 : 1))),
    changed: changed.length,
    flaps,
  };
}

/** A client that counts what it asks of the server. */
class Beast {
  readonly client: ParleyClient;
  /** A conversation in which something is said while it is away; empty without. */
  group = '';
  calls = 0;
  heartbeats = 0;
  attempts = 0;
  wasCut = false;
  /** From the last attempt until it was accepted. */
  handshakeMs = 0;
  acceptedAtMs: number[] = [];

  constructor(
    app: LocalApp,
    readonly userId: string,
    url: string,
    random: () => number,
    options: Partial<ClientOptions>,
  ) {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a class within, which has its own
    const beast = this;
    class Counted extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols);
        beast.attempts++;
        const startedAtMs = Date.now();
        this.once('open', () => {
          beast.acceptedAtMs.push(Date.now());
          beast.handshakeMs = Date.now() - startedAtMs;
        });
      }

      override send(data: string): void {
        beast.calls++;
        if (data.startsWith('{"action":"heartbeat"')) beast.heartbeats++;
        super.send(data);
      }
    }
    this.client = new ParleyClient({
      url,
      storage: memoryStorage(),
      webSocket: Counted,
      clock: { ...systemClock, random },
      token: () => tokenFor(app.url, userId, 'herd'),
      ...options,
    });
    this.client.on('state', (state) => {
      if (state !== 'online') this.wasCut = true;
    });
  }

  get knowsGroup(): boolean {
    return this.client.conversation(this.group) !== undefined;
  }

  get hasHeard(): boolean {
    return this.group === '' || this.client.messages(this.group).some(({ text }) => text === TEXT);
  }

  forget(): void {
    this.calls = 0;
    this.heartbeats = 0;
    this.attempts = 0;
    this.wasCut = false;
    this.acceptedAtMs = [];
  }
}

function busiestSecond(atMs: readonly number[]): number {
  const sorted = [...atMs].sort((a, b) => a - b);
  let from = 0;
  return sorted.reduce((most, at, i) => {
    while ((sorted[from] ?? at) <= at - 1_000) from++;
    return Math.max(most, i - from + 1);
  }, 0);
}
