import {
  ACTION_NAMES,
  ACTIONS,
  ERRORS,
  LIMITS,
  ProtocolError,
  type ActionName,
  type ErrorCode,
} from '@parley/protocol';
import { createHandler as heartbeat } from '../../lambdas/heartbeat.ts';
import { createHandler as receipt } from '../../lambdas/receipt.ts';
import { createHandler as send } from '../../lambdas/send.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import type { RouteHandler } from '../../lambdas/runtime/dispatch.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { audit } from './support/audit.ts';
import { messageEvent } from './support/events.ts';
import { replace, spy } from './support/intercept.ts';
import { sendBody, Stage, type Socket } from './support/stage.ts';

const CROWD = 6;
const BURST = ACTIONS['message.send'].rate.burst;

let stage: Stage;
let crowd: Socket[];
let group: string;

beforeEach(async () => {
  stage = new Stage();
  crowd = await Promise.all(Array.from({ length: CROWD }, (_, i) => stage.connect(`user${i}`)));
  group = await stage.group(...(crowd as [Socket, ...Socket[]]));
  await stage.settled();
});

const takesOf = async (work: (services: Services) => Promise<unknown>): Promise<unknown[]> => {
  const { services, calls } = spy(stage.services);
  await work(services);
  return calls.filter(({ method }) => method === 'take').map(({ args }) => args[0]);
};

async function allRows(conversation: ConversationKey): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  for (let page; !page || page.length > 0; rows.push(...page)) {
    page = await stage.log.after(conversation, rows.at(-1)?.id ?? '0', 500);
  }
  return rows;
}

describe('the rate of a conversation', () => {
  it('refuses what lies above it with the time to wait, and loses nothing of what it accepts, or of what comes again', async () => {
    const bodies = crowd.flatMap((socket) =>
      Array.from({ length: BURST }, () => ({ socket, body: sendBody(group, 'x') })),
    );
    const replies = await Promise.all(bodies.map(({ socket, body }) => socket.request('message.send', body)));
    const refused = replies.flatMap((reply) => (reply.ok ? [] : [reply.error]));
    expect(refused).toHaveLength(CROWD * BURST - LIMITS.conversationEntriesPerSecond);
    for (const error of refused)
      expect(error).toMatchObject({ code: 'RATE_LIMITED', temporary: true, retryAfterMs: 1 });
    stage.clock.advance(10_000);
    for (const [i, { socket, body }] of bodies.entries()) if (!replies[i]!.ok) await socket.ok('message.send', body);
    const keys = (await allRows(crowd[0]!.keyOf(group))).map(({ clientMessageId }) => clientMessageId);
    expect(new Set(keys)).toEqual(new Set(bodies.map(({ body }) => body.clientMessageId)));
    expect(keys).toHaveLength(bodies.length);
  });

  it('is one more bucket in a large conversation, and costs nothing where the rates of so few members cannot reach it', async () => {
    const [ana, ben] = crowd as [Socket, Socket];
    const pair = await stage.group(ana, ben);
    const user = `${ana.user}:message.send`;
    expect(await takesOf((services) => ana.send(pair, 'hello', { services }))).toEqual([user]);
    expect(await takesOf((services) => ana.send(group, 'hello', { services }))).toEqual([user, `w1/${group}:entries`]);
  });

  it('is used up neither by strangers nor by repeats', async () => {
    const stranger = await stage.connect('stranger');
    const own = [`${stranger.user}:message.send`];
    expect(await takesOf((services) => stranger.refused('message.send', sendBody(group, 'x'), services))).toEqual(own);
    const body = sendBody(group, 'hello');
    await crowd[0]!.ok('message.send', body);
    const repeat = await takesOf((services) => crowd[0]!.ok('message.send', body, services));
    expect(repeat).toEqual([`${crowd[0]!.user}:message.send`]);
  });

  it('holds for one conversation, not for others', async () => {
    const other = await stage.group(...(crowd as [Socket, ...Socket[]]));
    const full = replace(stage.services, 'presence', {
      take: ({ args, proceed }) =>
        args[0] === `w1/${group}:entries` ? Promise.resolve({ allowed: false, retryAfterMs: 7 }) : proceed(),
    });
    expect(await crowd[0]!.refused('message.send', sendBody(group, 'x'), full)).toMatchObject({ retryAfterMs: 7 });
    await crowd[0]!.send(other, 'hello', { services: full });
  });
});

describe('without the store of rates', () => {
  it('a lower limit holds for a conversation, too, and the store decides again as soon as it is back', async () => {
    let isDown = true;
    const services = replace(stage.services, 'presence', {
      take: ({ proceed }) => (isDown ? Promise.reject(new Unavailable('down')) : proceed()),
    });
    const bodies = crowd.flatMap((socket) =>
      Array.from({ length: BURST }, () => ({ socket, body: sendBody(group, 'x') })),
    );
    const replies = await Promise.all(bodies.map(({ socket, body }) => socket.request('message.send', body, services)));
    expect(replies.filter(({ ok }) => ok)).toHaveLength(LIMITS.conversationEntriesPerSecond / 4);
    isDown = false;
    await crowd[0]!.ok('message.send', sendBody(group, 'x'), services);
  });
});

/** Functions as an environment keeps them, from request to request. */
class Environment {
  private readonly handlers: Record<string, RouteHandler>;
  private requests = 0;

  constructor(
    private readonly socket: Socket,
    services: Services,
  ) {
    this.handlers = { heartbeat: heartbeat(services), receipt: receipt(services), send: send(services) };
  }

  /** The code of the answer, with `shed` for what was refused to make room. */
  async ask(action: ActionName, body: object): Promise<'ok' | 'shed' | ErrorCode> {
    const text = JSON.stringify({ action, id: String(++this.requests), body });
    const answer = await this.handlers[ACTIONS[action].function]!(messageEvent(this.socket, text, action));
    const frame = JSON.parse(answer.body!) as { ok: boolean; error: { code: ErrorCode; retryAfterMs: number } };
    if (frame.ok) return 'ok';
    const { code, retryAfterMs } = frame.error;
    if (ERRORS[code].temporary) expect(retryAfterMs).toBeGreaterThan(0);
    return retryAfterMs === LIMITS.shedRetryAfterMs ? 'shed' : code;
  }
}

const SHEDDABLE = ['typing.set', 'presence.watch', 'presence.unwatch', 'receipt.set', 'receipts.get'] as const;

describe('under overload', () => {
  const bodyOf = (action: ActionName): object => {
    if (action === 'typing.set') return { conversationId: group, typing: true };
    if (action === 'presence.watch') return { userIds: ['user1'] };
    if (action === 'message.send') return sendBody(group, 'hello');
    return action.startsWith('receipt') ? { conversationId: group } : {};
  };

  /** What is shed after each of so many requests of one function that got no answer of a store, in the order in which it begins. */
  async function shedAfter(failing: ActionName, others: readonly ActionName[], failures: number): Promise<string[]> {
    let isDown = false;
    const services = replace(stage.services, 'directory', {
      membership: ({ proceed }) => (isDown ? Promise.reject(new Unavailable('down')) : proceed()),
      memberships: ({ proceed }) => (isDown ? Promise.reject(new Unavailable('down')) : proceed()),
    });
    const environment = new Environment(crowd[0]!, services);
    const seen: string[] = [];
    for (let i = 1; i <= failures; i++) {
      isDown = true;
      await environment.ask(failing, failing === 'heartbeat' ? { heads: { [group]: 0 } } : bodyOf(failing));
      isDown = false;
      stage.clock.advance(1);
      for (const action of others) {
        const line = `${action} after ${i}`;
        if ((await environment.ask(action, bodyOf(action))) === 'shed' && !seen.some((s) => s.startsWith(action)))
          seen.push(line);
      }
    }
    return seen;
  }

  it('typing goes first, then presence, and never the heartbeat', async () => {
    const others = ['typing.set', 'presence.watch', 'presence.unwatch', 'heartbeat'] as const;
    expect(await shedAfter('heartbeat', others, 20)).toEqual([
      'typing.set after 3',
      'presence.watch after 5',
      'presence.unwatch after 5',
    ]);
  });

  it('receipts go last', async () => {
    expect(await shedAfter('receipt.set', ['receipts.get'], 20)).toEqual(['receipts.get after 9']);
  });

  it('a message is tried and answered every time, and what was answered with an id is stored', async () => {
    let calls = 0;
    const services = replace(stage.services, 'log', {
      insertIfAbsent: ({ proceed }) => (++calls % 4 ? Promise.reject(new Unavailable('slow')) : proceed()),
    });
    const environment = new Environment(crowd[0]!, services);
    const codes: string[] = [];
    for (let i = 0; i < 40; i++) codes.push(await environment.ask('message.send', bodyOf('message.send')));
    expect(new Set(codes)).toEqual(new Set(['ok', 'UNAVAILABLE']));
    const { messages } = await audit(stage, crowd[0]!.keyOf(group), 'user0');
    expect(messages.length).toBeGreaterThanOrEqual(codes.filter((code) => code === 'ok').length);
  });

  it('slow stores count like those that do not answer, a single slow request does not, and all of it is forgotten in time', async () => {
    let slowMs: number = LIMITS.slowRequestMs;
    const { services, calls } = spy(
      replace(stage.services, 'presence', {
        beat: ({ proceed }) => {
          stage.clock.advance(slowMs);
          return proceed();
        },
      }),
    );
    const environment = new Environment(crowd[0]!, services);
    await environment.ask('heartbeat', {});
    expect(await environment.ask('typing.set', bodyOf('typing.set'))).toBe('ok');
    for (let i = 0; i < 5; i++) await environment.ask('heartbeat', {});
    const before = calls.length;
    expect(await environment.ask('typing.set', bodyOf('typing.set'))).toBe('shed');
    expect(calls).toHaveLength(before);
    slowMs = 1;
    stage.clock.advance(LIMITS.shedRetryAfterMs * 2);
    expect(await environment.ask('typing.set', bodyOf('typing.set'))).toBe('ok');
  });

  it('everything but typing, presence and receipts is always tried', async () => {
    const environment = new Environment(
      crowd[0]!,
      replace(stage.services, 'presence', {
        beat: ({ proceed }) => {
          stage.clock.advance(LIMITS.slowRequestMs);
          return proceed();
        },
      }),
    );
    for (let i = 0; i < 30; i++) await environment.ask('heartbeat', {});
    const served = ACTION_NAMES.filter((action) => ACTIONS[action].function === 'heartbeat');
    const shed: string[] = [];
    for (const action of served) if ((await environment.ask(action, bodyOf(action))) === 'shed') shed.push(action);
    expect(shed.sort()).toEqual(SHEDDABLE.filter((action) => ACTIONS[action].function === 'heartbeat').sort());
  });

  it('every temporary refusal says when to come again', () => {
    const temporary = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ERRORS[code].temporary);
    expect(temporary).toEqual(expect.arrayContaining(['RATE_LIMITED', 'UNAVAILABLE']));
    for (const code of temporary) expect(new ProtocolError(code).toBody().retryAfterMs).toBeGreaterThan(0);
  });
});
