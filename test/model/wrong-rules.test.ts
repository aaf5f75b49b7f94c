import { randomUUID } from 'node:crypto';
import { LIMITS, type Entry } from '@parley/protocol';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import type {
  AppendView,
  Head,
  Membership,
  NewConversation,
  NumberRequest,
} from '../../lambdas/ports/directory/port.ts';
import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { audit } from '../lambdas/support/audit.ts';
import { crashAt, freezeAt, lateAt, replace, spy } from '../lambdas/support/intercept.ts';
import { sendBody, Stage, type Socket } from '../lambdas/support/stage.ts';

/**
 * Rules that tempt, and are wrong, of which a random walk finds the trace too rarely: each is planted, and its shortest trace is gone through.
 * Without the rule the same trace must break nothing. The others are in bugs.ts.
 */
interface WrongRule {
  readonly plant: (services: Services) => Services;
  /** Says what is broken; empty where nothing is. */
  readonly trace: (services: (own: Services) => Services) => Promise<string[]>;
}

const SECRET = 'what was said';
/** Above all that a clock makes. */
const SAME_ID = String(2n ** 62n);

const entriesOf = (socket: Socket): Entry[] =>
  socket.events.flatMap(({ type, body }) => (type === 'entry' ? [body] : []));

async function scene(plant: (services: Services) => Services) {
  const stage = new Stage(plant);
  const ana = await stage.connect('ana');
  const ben = await stage.connect('ben');
  const group = await stage.group(ana, ben);
  return { stage, ana, ben, group, key: ana.keyOf(group) };
}

/** The number of a send's call of that name, from 1. */
async function callOf(method: string): Promise<number> {
  const { stage, ana, group } = await scene((services) => services);
  const { services, calls } = spy(stage.services);
  await ana.ok('message.send', sendBody(group, 'x'), services);
  return calls.findIndex((call) => call.method === method) + 1;
}

const RULES: Record<string, WrongRule> = {
  'D9: repair forgets what is neither stored nor old': {
    plant: (services) =>
      replace(services, 'log', {
        get: async ({ args, proceed }) => {
          const [conversation, id] = args as [ConversationKey, string];
          return (await proceed()) ?? { conversation, id, seq: 0, kind: 'void', sentAtMs: 0, expiresAtMs: 0 };
        },
      }),
    async trace(plant) {
      const { stage, ana, ben, group, key } = await scene(plant);
      const { services, frozen, thaw } = freezeAt(stage.services, await callOf('insertIfAbsent'));
      let isDead = false;
      const dying = replace(services, 'direct', { deliver: () => Promise.reject(new Unavailable('dying')) });
      const mute = replace(dying, 'stream', {
        publish: () => {
          isDead = true;
          return Promise.reject(new Unavailable('dead'));
        },
      });
      const sending = ana.request('message.send', sendBody(group, 'one'), mute);
      await frozen;
      await stage.repaired();
      thaw();
      await sending;
      expect(isDead).toBe(true);
      await stage.repaired();
      const stored = (await audit(stage, key, 'ana')).messages.map(({ id }) => id);
      const seen = entriesOf(ben).map(({ id }) => id);
      return stored.filter((id) => !seen.includes(id)).map(() => 'P5: stored, and never published');
    },
  },

  'D10: an entry is written over whatever stands at its id': {
    plant: (services) =>
      replace(services, 'log', {
        insertIfAbsent: ({ args, proceed }) => {
          const row = args[0] as LogRow;
          const { rows } = services.log as unknown as { rows: Map<string, LogRow[]> };
          const others = (rows.get(row.conversation) ?? []).filter(({ id }) => id !== row.id);
          rows.set(row.conversation, others);
          return proceed();
        },
      }),
    async trace(plant) {
      const { stage, ana, group, key } = await scene(plant);
      let arrive: () => Promise<unknown> = () => Promise.resolve();
      const services = lateAt(stage.services, await callOf('insertIfAbsent'), (proceed) => (arrive = proceed));
      const { id } = await ana.ok('message.send', sendBody(group, SECRET), services);
      await ana.ok('message.delete', { conversationId: group, clientRequestId: randomUUID(), targetId: id });
      await arrive();
      const stored = JSON.stringify(await stage.log.after(key, '0', 10));
      return stored.includes(SECRET) ? ['P9: a deleted text is back'] : [];
    },
  },

  'D11, D12: an entry lives from when it is inserted, not from when it was sent': {
    plant: (services) =>
      replace(services, 'directory', {
        readForAppend: async ({ proceed }) => {
          const view = (await proceed()) as AppendView;
          const { dedupe } = view;
          return dedupe ? { ...view, dedupe: { ...dedupe, expiresAtMs: services.now() + LIMITS.entryTtlMs } } : view;
        },
      }),
    async trace(plant) {
      // Shorter than the time of repeats, as a conversation may be set to.
      jest.replaceProperty(LIMITS, 'entryTtlMs', 60 * 60 * 1_000);
      const { stage, ana, ben, group } = await scene(plant);
      const body = sendBody(group, SECRET);
      await ana.request('message.send', body, crashAt(stage.services, await callOf('reserve'), 'after').services);
      stage.clock.advance(LIMITS.entryTtlMs + 1);
      await ana.ok('message.send', body);
      const { entries } = await ben.ok('log.sync', { conversationId: group, after: { seq: 0, id: '0' } });
      return entries.map(() => 'P9: an entry that has ended is there');
    },
  },

  'D14: after a time-out of step 3 an id that equals mine is mine': {
    plant: (services) => {
      let nonce = '';
      return replace(services, 'directory', {
        takeNumber: ({ args, proceed }) => {
          ({ nonce } = args[0] as NumberRequest);
          return proceed();
        },
        head: async ({ proceed }) => {
          const head = (await proceed()) as Head | undefined;
          return head?.lastId === SAME_ID ? { ...head, lastBy: nonce } : head;
        },
      });
    },
    async trace(plant) {
      const { stage, ana, ben, group, key } = await scene((services) => services);
      // Both senders choose the same id; the request of the second does not arrive.
      const choosing = replace(stage.services, 'directory', {
        takeNumber: ({ args }) => stage.directory.takeNumber({ ...(args[0] as NumberRequest), id: SAME_ID }),
      });
      await ben.ok('message.send', sendBody(group, 'first'), choosing);
      let isLost = false;
      const losing = replace(choosing, 'directory', {
        takeNumber: ({ proceed }) => {
          if (isLost) return proceed();
          isLost = true;
          return Promise.reject(new Unavailable('no answer in time'));
        },
      });
      await ana.ok('message.send', sendBody(group, 'second'), plant(losing));
      expect(isLost).toBe(true);
      return (await audit(stage, key, 'ana')).messages.length === 2 ? [] : ['P1: acked, and not in the log'];
    },
  },

  'D15: the roster is read once, and not checked when the number is taken': {
    plant: (services) =>
      replace(services, 'directory', {
        takeNumber: async ({ args }) => {
          const request = args[0] as NumberRequest;
          const head = (await services.directory.membership(request.conversation, 'ana'))?.head;
          return services.directory.takeNumber({ ...request, rosterVersion: head?.rosterVersion ?? 0 });
        },
      }),
    async trace(plant) {
      const { stage, ana, ben, group } = await scene(plant);
      const { services, frozen, thaw } = freezeAt(stage.services, await callOf('takeNumber'));
      const sending = ana.request('message.send', sendBody(group, 'secret'), services);
      await frozen;
      const removed = await ana.ok('member.remove', {
        conversationId: group,
        clientRequestId: randomUUID(),
        userId: 'ben',
      });
      thaw();
      const frame = await sending;
      await stage.settled();
      const seq = frame.ok ? frame.body.seq : 0;
      const leaked = entriesOf(ben).filter((entry) => entry.seq === seq && seq > removed.seq);
      return leaked.map(() => 'P8: delivered after the removal');
    },
  },

  'D16: heads are read eventually consistently': {
    plant: (services) => {
      const stale = new Map<ConversationKey, Membership>();
      return replace(services, 'directory', {
        memberships: async ({ proceed }) => {
          const found = (await proceed()) as Map<ConversationKey, Membership>;
          const answer = new Map([...found].map(([key, membership]) => [key, stale.get(key) ?? membership]));
          for (const [key, membership] of found) stale.set(key, membership);
          return answer;
        },
      });
    },
    async trace(plant) {
      const { stage, ana, ben, group } = await scene(plant);
      const first = await ben.ok('session.start', {});
      await ben.disconnect();
      await ana.send(group, 'one');
      const tablet = await stage.connect('ben');
      const [known] = first.conversations;
      const cursors = { [group]: { seq: 0, id: '0', epoch: known?.epoch ?? 0 } };
      const { conversations } = await tablet.ok('session.start', { cursors });
      const told = conversations.find(({ conversationId }) => conversationId === group)?.headSeq ?? 0;
      return told === 1 ? [] : ['P4: nothing tells the new connection'];
    },
  },

  'D17: a head is deleted, and made anew under its id': {
    plant: (services) =>
      replace(services, 'directory', {
        createConversation: ({ args, proceed }) => {
          const { conversation } = args[0] as NewConversation;
          (services.directory as unknown as { conversations: Map<string, unknown> }).conversations.delete(conversation);
          return proceed();
        },
      }),
    async trace(plant) {
      const { stage, ana } = await scene(plant);
      const key = ana.keyOf('d_1');
      const members = ['ana', 'ben'].map((userId) => ({ userId, role: 'member' as const }));
      const made = { conversation: key, type: 'direct' as const, createdAtMs: 1, requestHash: 'h', members };
      for (const text of ['before', 'after']) {
        await stage.services.directory.createConversation(made);
        await ana.send('d_1', text);
      }
      const seqs = (await stage.log.after(key, '0', 10)).map(({ seq }) => seq);
      return seqs.join() === '1,2' ? [] : ['P3: a number is used twice'];
    },
  },
};

afterEach(() => jest.restoreAllMocks());

describe('a wrong rule is found by its trace, which breaks nothing without it', () => {
  it.each(Object.keys(RULES))('%s', async (name) => {
    const { plant, trace } = RULES[name]!;
    expect(await trace((services) => services)).toEqual([]);
    expect(await trace(plant)).not.toEqual([]);
  });
});
