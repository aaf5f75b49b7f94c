import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import type { Connection, DedupeRow, NumberRequest, NumberTaken } from '../../lambdas/ports/directory/port.ts';
import { splitKey, userKey, type ConversationKey, type UserKey } from '../../lambdas/runtime/keys.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { replace } from '../lambdas/support/intercept.ts';
import { USERS } from './world.ts';

/** Each makes one mistake that a design of this kind is tempted to make. */
export const BUGS: Record<string, (services: Services) => Services> = {
  'reserves nothing, and says that the place is yours': (services) =>
    replace(services, 'directory', { reserve: ({ args }) => Promise.resolve(args[1]) }),

  'reserves, but does not tell the loser': (services) =>
    replace(services, 'directory', {
      reserve: async ({ args, proceed }) => {
        await proceed();
        return args[1];
      },
    }),

  'answers before the entry is in the log': (services) => {
    let late: (() => Promise<unknown>) | undefined;
    return replace(services, 'log', {
      insertIfAbsent: async ({ proceed }) => {
        await late?.();
        late = proceed;
        return { applied: true };
      },
    });
  },

  'leaves the number of the loser open': (services) =>
    replace(services, 'log', {
      insertIfAbsent: ({ args, proceed }) =>
        (args[0] as LogRow).kind === 'void' ? Promise.resolve({ applied: true }) : proceed(),
    }),

  'inserts over a void row': (services) =>
    replace(services, 'log', {
      insertIfAbsent: async ({ args, proceed }) => {
        const answer = (await proceed()) as { applied: boolean; existing?: LogRow };
        return answer.existing?.kind === 'void' && (args[0] as LogRow).kind === 'message' ? { applied: true } : answer;
      },
    }),

  'calls an open number void without a row that says so': (services) =>
    replace(services, 'log', {
      after: async ({ args, proceed }) => {
        const conversation = args[0] as ConversationKey;
        const rows: LogRow[] = [];
        let seq = await seqOf(services, args);
        for (const row of (await proceed()) as LogRow[]) {
          for (seq++; seq < row.seq; seq++) {
            const id = await services.directory.idOf(conversation, seq);
            const { sentAtMs, expiresAtMs } = row;
            if (id !== undefined) rows.push({ conversation, id, seq, kind: 'void', sentAtMs, expiresAtMs });
          }
          rows.push(row);
        }
        return rows;
      },
    }),

  'shows nothing beyond an open number': (services) =>
    replace(services, 'log', {
      after: async ({ args, proceed }) => {
        const from = await seqOf(services, args);
        return ((await proceed()) as LogRow[]).filter(({ seq }, i) => seq === from + 1 + i);
      },
    }),

  'drops the entry right behind the cursor': (services) =>
    replace(services, 'log', {
      after: async ({ args, proceed }) => {
        const rows = (await proceed()) as LogRow[];
        return args[1] === '0' ? rows : rows.slice(1);
      },
    }),

  'answers a repeat before its entry is in the log': (services) => {
    const repeated = new Set<string>();
    const plant = replace(services, 'directory', {
      readForAppend: async ({ proceed }) => {
        const view = (await proceed()) as { dedupe?: DedupeRow };
        if (view.dedupe) repeated.add(view.dedupe.id);
        return view;
      },
    });
    return withoutInsertsAt(plant, repeated);
  },

  'answers the loser with a number whose winner has stored nothing': (services) => {
    const lost = new Set<string>();
    const plant = replace(services, 'directory', {
      reserve: async ({ args, proceed }) => {
        const standing = (await proceed()) as DedupeRow;
        if (standing.id !== (args[1] as DedupeRow).id) lost.add(standing.id);
        return standing;
      },
    });
    return withoutInsertsAt(plant, lost);
  },

  'forgets the ids of the numbers': (services) =>
    replace(services, 'directory', { idOf: () => Promise.resolve(undefined) }),

  'marks what it did not publish': (services) => replace(services, 'stream', { publish: () => Promise.resolve() }),

  'makes ids by the clock alone': (services) =>
    replace(services, 'directory', {
      takeNumber: async ({ args, proceed }) => {
        const taken = (await proceed()) as NumberTaken;
        return taken.taken ? { ...taken, id: (args[0] as NumberRequest).id } : taken;
      },
    }),

  'lets receipts go back': (services) => {
    const latest = new Map<string, unknown>();
    return replace(services, 'directory', {
      raiseReceipt: async ({ args, proceed }) => {
        await proceed();
        const [conversation, wanted] = args as [ConversationKey, { userId: string }];
        latest.set(`${conversation} ${wanted.userId}`, wanted);
        return { receipt: latest.get(`${conversation} ${wanted.userId}`), raised: true };
      },
    });
  },

  'takes what is read for not yet delivered': (services) =>
    replace(services, 'directory', {
      raiseReceipt: async ({ args, proceed }) => {
        const { receipt, raised } = (await proceed()) as { receipt: object; raised: boolean };
        return { receipt: { ...receipt, deliveredSeq: (args[1] as { deliveredSeq: number }).deliveredSeq }, raised };
      },
    }),

  'forgets the second device of a user': (services) =>
    replace(services, 'directory', {
      connectionsOf: async ({ proceed }) => {
        const found = (await proceed()) as Map<UserKey, readonly Connection[]>;
        return new Map([...found].map(([user, connections]) => [user, connections.slice(0, 1)]));
      },
    }),

  'delivers to everybody in the workspace': (services) =>
    replace(services, 'directory', {
      connectionsOf: ({ args }) => {
        const { workspaceId } = splitKey((args[0] as UserKey[])[0]!);
        return services.directory.connectionsOf(USERS.map((userId) => userKey({ workspaceId }, userId)));
      },
    }),

  'keeps the answer of a key, whatever is asked with it': (services) =>
    replace(services, 'directory', {
      readForAppend: async ({ proceed }) => {
        const view = (await proceed()) as { dedupe?: DedupeRow };
        const { dedupe } = view;
        return dedupe ? { ...view, dedupe: { ...dedupe, bodyHash: lastHash } } : view;
      },
      reserve: ({ args, proceed }) => {
        lastHash = (args[1] as DedupeRow).bodyHash;
        return proceed();
      },
    }),
};

/** Says of these places that they were inserted. */
function withoutInsertsAt(services: Services, ids: ReadonlySet<string>): Services {
  return replace(services, 'log', {
    insertIfAbsent: ({ args, proceed }) =>
      ids.has((args[0] as LogRow).id) ? Promise.resolve({ applied: true }) : proceed(),
  });
}

let lastHash = '';

/** The number of the cursor that `after` was asked with. */
async function seqOf({ log }: Services, args: readonly unknown[]): Promise<number> {
  const [conversation, id] = args as [ConversationKey, string];
  return (await log.get(conversation, id))?.seq ?? 0;
}
