import { randomUUID } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import {
  LIMITS,
  type ActionName,
  type ErrorBody,
  type Reply,
  type ReplyFrame,
  type ServerEvent,
} from '@parley/protocol';
import { createHandler as connect } from '../../../lambdas/connect.ts';
import { createHandler as conversation } from '../../../lambdas/conversation.ts';
import { createHandler as deliver } from '../../../lambdas/deliver.ts';
import { createHandler as disconnect } from '../../../lambdas/disconnect.ts';
import { createHandler as heartbeat } from '../../../lambdas/heartbeat.ts';
import { createHandler as receipt } from '../../../lambdas/receipt.ts';
import { createHandler as repair } from '../../../lambdas/repair.ts';
import { createHandler as send } from '../../../lambdas/send.ts';
import { createHandler as sync } from '../../../lambdas/sync.ts';
import { MemoryDirectory } from '../../../lambdas/ports/directory/memory.ts';
import { InProcessDirectDelivery } from '../../../lambdas/ports/direct-delivery/in-process.ts';
import { MemoryEventStream } from '../../../lambdas/ports/event-stream/memory.ts';
import { MemoryMessageLog } from '../../../lambdas/ports/message-log/memory.ts';
import { MemoryPresence } from '../../../lambdas/ports/presence/memory.ts';
import { InProcessRepairs } from '../../../lambdas/ports/repairs/in-process.ts';
import { conversationKey, userKey, type ConversationKey, type UserKey } from '../../../lambdas/runtime/keys.ts';
import type { Services } from '../../../lambdas/runtime/services.ts';
import { outboxRecord } from '../../../lambdas/ports/directory/outbox.ts';
import { connectEvent, disconnectEvent, messageEvent, routeOf, type SocketContext } from './events.ts';
import { RecordingGateway } from './recording-gateway.ts';
import { TestClock } from './test-clock.ts';

const SERVED = { send, heartbeat, receipt, sync, conversation };

/** All functions on memory ports, with sockets that are recorded and a clock that stands still. */
export class Stage {
  readonly clock = new TestClock();
  readonly log = new MemoryMessageLog(this.clock.now);
  /** What `repair` has not been told yet. */
  readonly outbox: DynamoDBRecord[] = [];
  readonly directory = new MemoryDirectory(this.clock.now, (conversation, row) => {
    this.outbox.push(outboxRecord(conversation, row, String(this.outbox.length), this.clock.now()));
  });
  readonly presence = new MemoryPresence(this.clock.now);
  readonly stream = new MemoryEventStream(this.clock.now);
  readonly gateway = new RecordingGateway();
  readonly services: Services;

  /** `override` replaces ports for every function. */
  constructor(override: (services: Services) => Services = (services) => services) {
    this.services = override({
      log: this.log,
      directory: this.directory,
      presence: this.presence,
      stream: this.stream,
      gateway: this.gateway,
      direct: new InProcessDirectDelivery((request) => deliver(this.services)(request)),
      repairs: new InProcessRepairs((request) => repair(this.services)(request)),
      identity: { issuer: 'https://issuer.test', audience: 'parley', keySet: () => Promise.resolve({ keys: [] }) },
      settings: { allowedOrigins: [] },
      now: this.clock.now,
    });
    this.stream.consume(deliver(this.services));
  }

  /** A socket that the gateway has let in. */
  async connect(userId: string, options: SocketOptions = {}): Promise<Socket> {
    const socket = new Socket(this, userId, options);
    const { statusCode } = await connect(this.services)(connectEvent(socket));
    if (statusCode !== 200) throw new Error(`$connect answered ${String(statusCode)}`);
    return socket;
  }

  /** A group of these people, made by the first. Answers its id. */
  async group(...sockets: [Socket, ...Socket[]]): Promise<string> {
    const [creator, ...others] = sockets;
    const memberIds = others.map((socket) => socket.userId);
    const { conversation: made } = await creator.ok('conversation.create', {
      clientRequestId: randomUUID(),
      type: 'group',
      memberIds,
    });
    return made.conversationId;
  }

  /** Once `repair` has seen the outbox. It waits for what is young, on the test's clock. */
  async repaired(services: Services = this.services): Promise<void> {
    const Records = this.outbox.splice(0);
    const wait = (ms: number): Promise<void> => {
      this.clock.advance(ms);
      return Promise.resolve();
    };
    if (Records.length > 0) expect(await repair(services, wait)({ Records })).toEqual({ batchItemFailures: [] });
    await this.settled();
  }

  /** Once everything that was published is delivered. */
  async settled(): Promise<void> {
    await this.stream.idle();
  }
}

export interface SocketOptions {
  readonly workspaceId?: string;
  readonly deviceId?: string;
  readonly expiresAtMs?: number;
}

let connections = 0;

/** One connection of a user, as the functions see it. */
export class Socket implements SocketContext {
  readonly connectionId = `connection-${++connections}=`;
  readonly connectedAt: number;
  readonly authorizer: Readonly<Record<string, unknown>>;
  readonly workspaceId: string;
  readonly user: UserKey;
  private requests = 0;

  constructor(
    readonly stage: Stage,
    readonly userId: string,
    { workspaceId = 'w1', deviceId = 'phone', expiresAtMs }: SocketOptions,
  ) {
    this.connectedAt = stage.clock.now();
    this.workspaceId = workspaceId;
    this.user = userKey({ workspaceId }, userId);
    const ends = expiresAtMs ?? this.connectedAt + LIMITS.socketMaxMs;
    this.authorizer = { principalId: userId, userId, workspaceId, deviceId, expiresAtMs: String(ends) };
  }

  get events(): ServerEvent[] {
    return this.stage.gateway.eventsOf(this.connectionId);
  }

  keyOf(conversationId: string): ConversationKey {
    return conversationKey(this, conversationId);
  }

  /** The text of the reply to a text. */
  async raw(text: string, services: Services = this.stage.services): Promise<string> {
    const route = routeOf(text);
    const handler = SERVED[route.function](services);
    const { body } = await handler(messageEvent(this, text, route.routeKey));
    if (body === undefined) throw new Error('no reply');
    return body;
  }

  /** The body need not be valid. */
  async request<A extends ActionName>(action: A, body: object, services?: Services): Promise<ReplyFrame<A>> {
    const id = String(++this.requests);
    const frame = JSON.parse(await this.raw(JSON.stringify({ action, id, body }), services)) as ReplyFrame<A>;
    if (frame.id !== id) throw new Error(`the reply to ${id} names ${String(frame.id)}`);
    return frame;
  }

  /** The reply to a request that must succeed. */
  async ok<A extends ActionName>(action: A, body: object, services?: Services): Promise<Reply<A>> {
    const frame = await this.request(action, body, services);
    if (!frame.ok) throw new Error(`${action} was refused: ${frame.error.code} ${frame.error.message}`);
    return frame.body;
  }

  /** The error of a request that must be refused. */
  async refused(action: ActionName, body: object, services?: Services): Promise<ErrorBody> {
    const frame = await this.request(action, body, services);
    if (frame.ok) throw new Error(`${action} was not refused`);
    return frame.error;
  }

  /** Sends a text; the key is a new one unless given. */
  send(conversationId: string, text = 'hello', more: Partial<SendOptions> = {}): Promise<Reply<'message.send'>> {
    const { services, ...fields } = more;
    return this.ok('message.send', sendBody(conversationId, text, fields), services);
  }

  async disconnect(): Promise<void> {
    await disconnect(this.stage.services)(disconnectEvent(this));
  }
}

interface SendOptions {
  readonly clientMessageId: string;
  readonly replyToId: string;
  readonly threadId: string;
  readonly mentions: readonly string[];
  readonly services: Services;
}

export function sendBody(conversationId: string, text: string, fields: Partial<Omit<SendOptions, 'services'>> = {}) {
  return { conversationId, clientMessageId: randomUUID(), content: { type: 'text', text }, ...fields };
}
