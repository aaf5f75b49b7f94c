import { toEntry } from '../../../lambdas/actions/shared/entries.ts';
import type { DedupeRow } from '../../../lambdas/ports/directory/port.ts';
import type { LogRow } from '../../../lambdas/ports/message-log/port.ts';
import type { ConversationKey, UserKey } from '../../../lambdas/runtime/keys.ts';
import type { Services } from '../../../lambdas/runtime/services.ts';
import { replace } from '../../lambdas/support/intercept.ts';

/** Each makes one mistake that a design of this kind is tempted to make. The slice of faults that CI runs finds every one. */
export const PLANTS = {
  'skips the dedupe write': (services) =>
    replace(services, 'directory', { reserve: ({ args }) => Promise.resolve(args[1] as DedupeRow) }),

  'acks before it persists': (services) =>
    replace(services, 'log', {
      insertIfAbsent: ({ proceed }) => {
        // Frozen with the environment, as on AWS: it goes on with the next event, if there is one.
        setTimeout(() => void proceed().catch(() => undefined), 1_000);
        return Promise.resolve({ applied: true });
      },
    }),

  'publishes before it persists': (services) =>
    replace(services, 'log', {
      insertIfAbsent: async ({ args, proceed }) => {
        const row = args[0] as LogRow;
        const { conversation } = row;
        const record = { v: 1, type: 'entry', conversation, entry: toEntry(row), served: [] } as const;
        if (row.kind === 'message') await services.stream.publish('conversation-events', conversation, record);
        return proceed();
      },
    }),

  'removes whatever connection the user has': (services) =>
    replace(services, 'directory', {
      removeConnection: async ({ args }) => {
        const user = args[0] as UserKey;
        const connections = (await services.directory.connectionsOf([user])).get(user) ?? [];
        for (const { connectionId } of connections) await services.directory.removeConnection(user, connectionId);
      },
    }),

  'calls a number void by its age': (services) =>
    replace(services, 'log', {
      after: async ({ args, proceed }) => {
        const conversation = args[0] as ConversationKey;
        const rows: LogRow[] = [];
        let seq = (await services.log.get(conversation, args[1] as string))?.seq ?? 0;
        const voidAt = async (at: number, { sentAtMs, expiresAtMs }: LogRow): Promise<LogRow[]> => {
          const id = await services.directory.idOf(conversation, at);
          return id === undefined ? [] : [{ conversation, id, seq: at, kind: 'void', sentAtMs, expiresAtMs }];
        };
        for (const row of (await proceed()) as LogRow[]) {
          for (seq++; seq < row.seq; seq++) rows.push(...(await voidAt(seq, row)));
          rows.push(row);
        }
        return rows;
      },
    }),

  'repairs nothing': (services) => {
    if (!isFunction('repair')) return services;
    // It takes everything for published, and finds no number.
    const published = replace(services, 'presence', { isMarked: () => Promise.resolve(true) });
    return replace(published, 'directory', { idOf: () => Promise.resolve(undefined) });
  },
} as const satisfies Record<string, (services: Services) => Services>;

export type PlantName = keyof typeof PLANTS;

/** Whether this process serves that function. */
function isFunction(name: string): boolean {
  return (process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '').endsWith(`-${name}`);
}
