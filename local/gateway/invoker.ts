import { setTimeout as delay } from 'node:timers/promises';
import { IntegrationTimeout, type GatewayOptions } from './options.ts';
import type { GatewaySettings } from './settings.ts';

/** Runs functions with the time-out of an integration, and with the shuffling delay where that is on. */
export class Invoker {
  constructor(
    private readonly invoke: GatewayOptions['invoke'],
    private readonly settings: GatewaySettings,
  ) {}

  /**
   * What the function answers.
   * @throws {IntegrationTimeout} when it takes too long; its later answer is dropped.
   * @throws {FunctionError} or anything else that `invoke` rejects with.
   */
  run(functionName: string, event: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new IntegrationTimeout(functionName)),
        this.settings.integrationTimeoutMs,
      ).unref();
      this.#start(functionName, event).then(
        (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  /** Async, so that an `invoke` that throws instead of rejecting does no harm. */
  async #start(functionName: string, event: unknown): Promise<unknown> {
    if (this.settings.shuffleMaxMs > 0) await delay(Math.random() * this.settings.shuffleMaxMs);
    return this.invoke(functionName, event);
  }
}
