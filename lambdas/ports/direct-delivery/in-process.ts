import { Unavailable } from '../unavailable.ts';
import type { DirectAnswer, DirectDelivery, DirectRequest } from './port.ts';

/** Calls `deliver` in this process. */
export class InProcessDirectDelivery implements DirectDelivery {
  constructor(private readonly invoke: (request: DirectRequest) => Promise<unknown>) {}

  async deliver(request: DirectRequest, deadlineMs: number): Promise<DirectAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Unavailable('deliver did not answer in time')), deadlineMs);
    });
    try {
      return (await Promise.race([this.invoke(request), deadline])) as DirectAnswer;
    } catch (error) {
      throw error instanceof Unavailable ? error : new Unavailable('deliver failed', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
