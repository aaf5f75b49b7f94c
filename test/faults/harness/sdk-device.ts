import type { Entry } from '@parley/protocol';
import { WebSocket } from 'ws';
import { memoryStorage, ParleyClient, type ClientOptions } from '../../../client/src/index.ts';
import type { History, Seen, Values } from '../history/history.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { tokenFor, type Place } from './place.ts';

/** One device of a user, with the SDK, behind a network of its own. Writes down what it asks for and what it shows. */
export class SdkDevice {
  private readonly asked = new Map<string, { conversationId: string; text: string }>();
  private hasLeft = false;

  private constructor(
    readonly process: string,
    readonly userId: string,
    readonly client: ParleyClient,
    readonly network: TcpProxy,
    private readonly history: History,
  ) {
    client.on('state', (state) => {
      if (!this.hasLeft) history.record(process, 'ok', 'online', { online: state === 'online', syncs: true });
    });
    client.on('entry', (entry) => {
      history.record(process, 'ok', 'show', { conversationId: entry.conversationId, ...seenOf(entry) });
      // One's own that comes back as an entry was stored, whatever became of its answer.
      if (entry.kind === 'message') this.settle(entry.clientMessageId, 'ok', { id: entry.id, seq: entry.seq });
    });
    client.on('receipt', (receipt) => history.record(process, 'ok', 'receipt', receipt));
    client.on('outbox', ({ key, status, id, seq, error }) => {
      if (status === 'failed') this.settle(key, 'fail', { code: error?.code ?? '' });
      else if (id !== undefined && seq !== undefined) this.settle(key, 'ok', { id, seq });
    });
  }

  static async open(
    place: Place,
    history: History,
    userId: string,
    device: string,
    options: Partial<ClientOptions> = {},
  ): Promise<SdkDevice> {
    const { url, socketUrl, workspaceId } = place;
    const { hostname, port, pathname } = new URL(socketUrl);
    const network = new TcpProxy({ host: hostname, port: Number(port) });
    await network.listen();
    const client = new ParleyClient({
      url: `ws://127.0.0.1:${network.port}${pathname}`,
      storage: memoryStorage(),
      webSocket: WebSocket,
      token: () => tokenFor(url, userId, workspaceId),
      ...options,
    });
    const made = new SdkDevice(`${userId}/${device}`, userId, client, network, history);
    await client.connect();
    return made;
  }

  /** Resolves when it is in the outbox; from there it goes out however long that takes. */
  async send(conversationId: string, text: string): Promise<string> {
    const { key } = await this.client.send(conversationId, { text });
    const asked = { conversationId, text };
    this.asked.set(key, asked);
    this.history.record(this.process, 'invoke', 'send', { ...asked, key });
    return key;
  }

  get unanswered(): number {
    return this.asked.size;
  }

  private settle(key: string, type: 'ok' | 'fail', more: Partial<Values['send']>): void {
    const asked = this.asked.get(key);
    if (asked && this.asked.delete(key)) this.history.record(this.process, type, 'send', { ...asked, key, ...more });
  }

  /** What its user sees, in the end. */
  async read(conversationId: string): Promise<void> {
    const { client } = this;
    for (let page = 0; page < PAGES_MAX && client.conversation(conversationId)?.hasOlder === true; page++) {
      await client.loadOlder(conversationId).catch(() => undefined);
    }
    const stored = client.messages(conversationId).filter(({ id }) => id !== undefined);
    const entries = stored.map(({ key, mine, id = '', seq = 0, text }): Seen => {
      return { id, seq, kind: 'message', text, ...(mine && { key }) };
    });
    const headSeq = client.conversation(conversationId)?.headSeq ?? 0;
    this.history.record(this.process, 'ok', 'read', {
      conversationId,
      entries: entries.map((entry) => this.named(conversationId, entry)),
      headSeq,
    });
  }

  /** The run is over: that it goes now is no part of it. What was never answered is unknown. */
  async leave(): Promise<void> {
    this.hasLeft = true;
    for (const [key, asked] of this.asked) this.history.record(this.process, 'info', 'send', { ...asked, key });
    this.asked.clear();
    await this.client.close();
    await this.network.close();
  }

  /** The SDK shows a message of others by its id: the key stands in what anybody was told of it. */
  private named(conversationId: string, entry: Seen): Seen {
    const told = this.history.operations.flatMap((operation): readonly Seen[] => {
      if (operation.f === 'read')
        return operation.value.conversationId === conversationId ? operation.value.entries : [];
      return operation.f === 'show' || operation.f === 'receive' ? [operation.value] : [];
    });
    const key = entry.key ?? told.find(({ id, key: known }) => id === entry.id && known !== undefined)?.key;
    return { ...entry, ...(key !== undefined && { key }) };
  }
}

const PAGES_MAX = 200;

export function seenOf(entry: Entry): Seen {
  const { id, seq, kind } = entry;
  if (entry.kind !== 'message') return { id, seq, kind };
  const { clientMessageId, content } = entry;
  return { id, seq, kind, key: clientMessageId, text: content.text };
}
