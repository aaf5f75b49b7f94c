import fc from 'fast-check';
import type { DedupeRow } from '../../lambdas/ports/directory/port.ts';
import type { LogRow } from '../../lambdas/ports/message-log/port.ts';
import type { ConversationKey } from '../../lambdas/runtime/keys.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { replace } from '../lambdas/support/intercept.ts';
import { changesHold } from './changes.ts';

/** Some seconds on a small machine. `PARLEY_PROPERTY_RUNS=10` makes ten times as many. */
const RUNS = 200;
const LIMIT_MS = 3_600_000;

/** Each makes one mistake that a design of this kind is tempted to make, and is found within these runs. */
const SAME_RUNS = { numRuns: 200, seed: 7, endOnFailure: true } as const;
const BUGS: Record<string, (services: Services) => Services> = {
  'leaves the edits of what is deleted as they are': (services) =>
    replace(services, 'log', {
      blank: async ({ args, proceed }) => {
        const [conversation, id] = args as [ConversationKey, string];
        const row = await services.log.get(conversation, id);
        return row?.kind === 'edit' ? row : proceed();
      },
    }),

  'lets an edit stand without asking whether its message does': (services) =>
    replace(services, 'log', { addEdit: () => Promise.resolve(true) }),

  'inserts again what was deleted since': (services) =>
    replace(services, 'log', {
      insertIfAbsent: async ({ args, proceed }) => {
        const row = args[0] as LogRow;
        const answer = (await proceed()) as { applied: boolean; existing?: LogRow };
        if (answer.existing?.kind !== 'deleted' || row.kind !== 'message') return answer;
        const { rows } = services.log as unknown as { rows: Map<string, LogRow[]> };
        const log = rows.get(row.conversation)!;
        log[log.findIndex(({ id }) => id === row.id)] = row;
        return { applied: true };
      },
    }),

  'does not say in the reservation what it is about to do': (services) =>
    replace(services, 'directory', {
      reserve: ({ args }) => {
        const { intent: _, ...row } = args[1] as DedupeRow;
        return services.directory.reserve(args[0] as never, row);
      },
    }),

  'gives a message to all who are members when it is repeated': (services) =>
    replace(services, 'direct', {
      deliver: async ({ args }) => {
        const [request, deadlineMs] = args as Parameters<Services['direct']['deliver']>;
        const { items } = await services.directory.members(request.conversation, undefined, 10);
        return services.direct.deliver({ ...request, memberIds: items.map(({ userId }) => userId) }, deadlineMs);
      },
    }),
};

it(
  'changes what was said, and who hears it, whatever people do and whatever fails',
  async () => {
    // A failure prints the seed and the shortest steps that lead to it.
    await fc.assert(changesHold(), { numRuns: RUNS * Number(process.env['PARLEY_PROPERTY_RUNS'] ?? 1) });
  },
  LIMIT_MS,
);

it.each(Object.keys(BUGS))(
  'finds a server that %s',
  async (bug) => {
    const found = await fc.check(changesHold(BUGS[bug]), SAME_RUNS);
    expect(found.failed).toBe(true);
    // A promise that was broken, not a test that broke.
    expect(String(found.errorInstance)).toMatch(/expect\(/);
  },
  LIMIT_MS,
);
