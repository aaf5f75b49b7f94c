import { randomUUID } from 'node:crypto';
import { memoryStorage, ParleyClient, type Storage } from '@parley/client';
import fc from 'fast-check';
import { startParley, type Parley } from './parley.ts';

jest.setTimeout(300_000);

const RUNS = 12 * Number(process.env['PARLEY_PROPERTY_RUNS'] ?? 1);
const USERS = ['ana', 'ben'] as const;

/** One thing that happens, to one of the two users. */
const step = fc.record({
  who: fc.constantFrom(0, 1),
  what: fc.constantFrom('send', 'send', 'send', 'twice', 'reconnect', 'read'),
});

/** A user with a device: what it stores outlives the client, as with a reload. */
interface Device {
  readonly userId: string;
  readonly storage: Storage;
  client: ParleyClient;
  /** Another device of the same user, which sends beside the outbox of this one. */
  readonly tablet: ParleyClient;
}

describe('whatever two users do, over the socket', () => {
  let parley: Parley;

  beforeAll(async () => {
    parley = await startParley();
  });

  afterAll(async () => {
    await parley.stop();
  });

  it('nothing is lost, doubled or out of order, and receipts stay below the head', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const run = randomUUID().slice(0, 8);
        const devices = await Promise.all(USERS.map((name) => open(`${name}-${run}`)));
        const { conversationId } = await devices[0]!.client.createDirect(devices[1]!.userId);
        await until(() => devices[1]!.client.conversation(conversationId) !== undefined);
        const sent: string[] = [];
        for (const [i, { who, what }] of steps.entries()) {
          const device = devices[who]!;
          if (what === 'reconnect') device.client = await reopen(device);
          else if (what === 'read') device.client.markRead(conversationId);
          else if (what === 'twice') await sendTwice(device, conversationId, note(sent, `twice ${i}`));
          else await device.client.send(conversationId, { text: note(sent, `text ${i}`) });
        }
        for (const { client } of devices) await until(() => settled(client, conversationId, sent.length));
        const logs = devices.map(({ client }) => client.messages(conversationId));
        const [ana, ben] = logs.map((log) => log.map(({ id, seq, text }) => ({ id, seq, text })));
        expect(ana).toEqual(ben);
        expect(ana!.map(({ text }) => text).sort()).toEqual([...sent].sort());
        // Repeats at the same moment cost numbers; each number is an entry or declared void, in order, and none is open.
        const after = { seq: 0, id: '0' };
        const log = await devices[0]!.client.request('log.sync', { conversationId, after, limit: 200 });
        expect(log.entries.map(({ seq }) => seq)).toEqual(log.entries.map((_, i) => i + 1));
        expect(log).toMatchObject({ completeToSeq: log.headSeq, limited: false });
        const messages = log.entries.filter(({ kind }) => kind === 'message');
        expect(messages.map(({ seq }) => seq)).toEqual(ana!.map(({ seq }) => seq));
        const { receipts } = await devices[0]!.client.request('receipts.get', { conversationId });
        expect(receipts).toHaveLength(USERS.length);
        for (const { readSeq, deliveredSeq } of receipts) {
          expect(readSeq).toBeLessThanOrEqual(deliveredSeq);
          expect(deliveredSeq).toBeLessThanOrEqual(log.headSeq);
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  const clients = new Set<ParleyClient>();
  afterEach(async () => {
    await Promise.all([...clients].map((client) => client.close()));
  });

  async function open(userId: string): Promise<Device> {
    const storage = memoryStorage();
    const tablet = await connect(userId, memoryStorage());
    return { userId, storage, client: await connect(userId, storage), tablet };
  }

  async function reopen({ userId, storage, client }: Device): Promise<ParleyClient> {
    await client.close();
    clients.delete(client);
    return connect(userId, storage);
  }

  async function connect(userId: string, storage: Storage): Promise<ParleyClient> {
    const client = new ParleyClient({
      url: parley.socketUrl,
      token: () => parley.token(userId),
      storage,
      receiptDebounceMs: 50,
    });
    clients.add(client);
    await client.connect();
    return client;
  }
});

function note(sent: string[], text: string): string {
  sent.push(text);
  return text;
}

/** The same request twice at the same moment, as after a lost answer. */
async function sendTwice({ tablet }: Device, conversationId: string, text: string): Promise<void> {
  const body = { conversationId, clientMessageId: randomUUID(), content: { type: 'text' as const, text } };
  const [first, second] = await Promise.all([
    tablet.request('message.send', body),
    tablet.request('message.send', body),
  ]);
  expect(second).toEqual(first);
}

function settled(client: ParleyClient, conversationId: string, count: number): boolean {
  const messages = client.messages(conversationId);
  return messages.length === count && messages.every(({ seq }) => seq !== undefined);
}

async function until(isSo: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 60_000; !isSo();) {
    if (Date.now() > endMs) throw new Error('it did not settle');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
