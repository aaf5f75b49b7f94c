import { LambdaFunction, type LambdaFunctionOptions } from '../../runtime/aws/lambda-function.ts';
import type { RepairRequest, Repairs } from './port.ts';

const TIMEOUT_MS = 2_000;

/** Hands requests to `repair` through the Lambda API, which queues them and tries twice more. */
export class LambdaRepairs implements Repairs {
  private readonly repair: LambdaFunction;

  constructor(options: LambdaFunctionOptions) {
    this.repair = new LambdaFunction(options);
  }

  async request(request: RepairRequest): Promise<void> {
    await this.repair.invoke('Event', request, TIMEOUT_MS);
  }

  /** Ends the kept-alive sockets. */
  destroy(): void {
    this.repair.destroy();
  }
}
