import { randomUUID } from 'node:crypto';
import type { Reply } from '@parley/protocol';
import { userKey } from '../../../lambdas/runtime/keys.ts';
import type { Services } from '../../../lambdas/runtime/services.ts';
import { startLocalApp, type LocalApp, type LocalAppOptions } from '../../../local/embedded/app.ts';
import { Forge } from './forge.ts';
import { captureLog } from './log-lines.ts';
import type { User } from './user.ts';
import { frameOf, Wire } from './wire.ts';

/** One run of a function. */
export interface FunctionCall {
  readonly functionName: string;
  readonly event: unknown;
  done: boolean;
}

/** One call of a port, by whichever function. */
export interface PortCall {
  readonly port: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A conversation of two, with one message in it. */
export interface Scene {
  readonly owner: Wire;
  readonly other: Wire;
  readonly conversationId: string;
  readonly epoch: number;
  /** Of the same workspace, and no member. */
  readonly outsider: User;
  readonly message: Reply<'message.send'>;
}

const PORTS = ['log', 'directory', 'presence', 'stream', 'gateway', 'direct', 'identity'] as const;
let lastUser = 0;

/** All of Parley on a free port, with a record of what its functions were given and what they asked of the ports. */
export class World {
  readonly functionCalls: FunctionCall[] = [];

  private constructor(
    readonly app: LocalApp,
    readonly portCalls: PortCall[],
    readonly forge: Forge,
  ) {
    const { handlers } = app.functions as unknown as {
      handlers: Map<string, (event: unknown) => Promise<unknown>>;
    };
    for (const [functionName, handler] of handlers) {
      handlers.set(functionName, async (event) => {
        const call: FunctionCall = { functionName, event, done: false };
        this.functionCalls.push(call);
        return handler(event).finally(() => (call.done = true));
      });
    }
  }

  static async start(options: LocalAppOptions = {}): Promise<World> {
    captureLog();
    const portCalls: PortCall[] = [];
    const override = (services: Services): Services =>
      recording(options.override?.(services) ?? services, (call) => portCalls.push(call));
    const app = await startLocalApp({ ...options, override });
    return new World(app, portCalls, await Forge.servedBy(app));
  }

  close(): Promise<void> {
    return this.app.close();
  }

  /** How often these functions were run. Others may run at any time: `deliver` and `disconnect` come after what they are about. */
  runs(...functionNames: readonly string[]): number {
    return this.functionCalls.filter(({ functionName }) => functionNames.includes(functionName)).length;
  }

  newUser(workspaceId = 'acme'): User {
    return { userId: `ana-${++lastUser}`, workspaceId };
  }

  token(user: User): Promise<string> {
    return this.app.issuer.issue(user);
  }

  async connect(user = this.newUser()): Promise<Wire> {
    return Wire.open(this.app.socketUrl, ['parley.v1', `bearer.${await this.token(user)}`], user);
  }

  async connectionIds(user: User): Promise<string[]> {
    const key = userKey(user, user.userId);
    const found = await this.app.services.directory.connectionsOf([key]);
    return (found.get(key) ?? []).map(({ connectionId }) => connectionId);
  }

  async removeConnection(user: User): Promise<void> {
    for (const id of await this.connectionIds(user)) {
      await this.app.services.directory.removeConnection(userKey(user, user.userId), id);
    }
  }

  async group(owner: Wire, ...others: Wire[]): Promise<Reply<'conversation.create'>['conversation']> {
    const memberIds = others.map(({ user }) => user.userId);
    const body = { clientRequestId: randomUUID(), type: 'group' as const, memberIds };
    return (await owner.call('conversation.create', body)).conversation;
  }

  async say(wire: Wire, conversationId: string, text: string): Promise<Reply<'message.send'>> {
    return wire.call('message.send', message(conversationId, text));
  }

  async scene(): Promise<Scene> {
    const [owner, other] = [await this.connect(), await this.connect()];
    const { conversationId, epoch } = await this.group(owner, other);
    const outsider = this.newUser();
    await this.app.services.directory.admitUser(userKey(outsider, outsider.userId), undefined);
    return { owner, other, conversationId, epoch, outsider, message: await this.say(owner, conversationId, 'hello') };
  }

  /** What a function makes of an event, without the gateway. */
  invoke(functionName: string, event: unknown): Promise<unknown> {
    return this.app.functions.invoke(functionName, event);
  }
}

/** A good body of `message.send` with a key of its own. */
export function message(conversationId: string, text: string) {
  return { conversationId, clientMessageId: randomUUID(), content: { type: 'text' as const, text } };
}

/** The text of a good `message.send`. */
export function sending(conversationId: string, text = 'hello'): string {
  return frameOf('message.send', message(conversationId, text));
}

function recording(services: Services, note: (call: PortCall) => void): Services {
  const wrap = <T extends object>(port: string, target: T): T =>
    new Proxy(target, {
      get(_, method) {
        const value: unknown = Reflect.get(target, method);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          note({ port, method: String(method), args });
          return Reflect.apply(value, target, args);
        };
      },
    });
  return { ...services, ...Object.fromEntries(PORTS.map((port) => [port, wrap(port, services[port])])) };
}
