import { logger } from '../../runtime/logger.ts';
import type { RepairRequest, Repairs } from './port.ts';

/** Calls `repair` in this process. */
export class InProcessRepairs implements Repairs {
  constructor(private readonly invoke: (request: RepairRequest) => Promise<unknown>) {}

  request(request: RepairRequest): Promise<void> {
    this.invoke(request).catch((error: unknown) => logger.error('a repair failed', { error: error as Error }));
    return Promise.resolve();
  }
}
