import { createHandler as authorizer } from '../../lambdas/authorizer.ts';
import { createHandler as connect } from '../../lambdas/connect.ts';
import { createHandler as conversation } from '../../lambdas/conversation.ts';
import { createHandler as deliver } from '../../lambdas/deliver.ts';
import { createHandler as disconnect } from '../../lambdas/disconnect.ts';
import { createHandler as heartbeat } from '../../lambdas/heartbeat.ts';
import { createHandler as receipt } from '../../lambdas/receipt.ts';
import { createHandler as repair } from '../../lambdas/repair.ts';
import { createHandler as send } from '../../lambdas/send.ts';
import { createHandler as sync } from '../../lambdas/sync.ts';
import type { Services } from '../../lambdas/runtime/services.ts';
import { FunctionError } from '../gateway/gateway.ts';

// Each handler checks what it gets; the wire gives no types.
type Handler = (event: never) => Promise<unknown>;

const FUNCTIONS = { authorizer, connect, disconnect, send, heartbeat, receipt, sync, conversation, deliver, repair };
export type FunctionName = keyof typeof FUNCTIONS;

/** The deployed functions, run in this process. */
export class EmbeddedFunctions {
  private readonly handlers: ReadonlyMap<string, Handler>;

  /** `servicesOf` gives each function its own services, since their rights differ. */
  constructor(servicesOf: (name: FunctionName) => Services) {
    const names = Object.keys(FUNCTIONS) as FunctionName[];
    this.handlers = new Map(names.map((name) => [name, FUNCTIONS[name](servicesOf(name)) as Handler]));
  }

  /** @throws {FunctionError} as the Lambda service reports a function that threw. */
  readonly invoke = async (name: string, event: unknown): Promise<unknown> => {
    const handler = this.handlers.get(name);
    if (!handler) throw new Error(`no function ${name}`);
    try {
      return await handler(event as never);
    } catch (error) {
      const { name: errorType, message } = error instanceof Error ? error : new Error(String(error));
      throw new FunctionError(errorType, message);
    }
  };
}
