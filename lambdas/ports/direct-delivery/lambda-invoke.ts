import { LambdaFunction, type LambdaFunctionOptions } from '../../runtime/aws/lambda-function.ts';
import { Unavailable } from '../unavailable.ts';
import type { DirectAnswer, DirectDelivery, DirectRequest } from './port.ts';

/** Invokes `deliver` through the Lambda API and waits for its answer. */
export class LambdaInvoke implements DirectDelivery {
  private readonly function: LambdaFunction;

  constructor(options: LambdaFunctionOptions) {
    this.function = new LambdaFunction(options);
  }

  async deliver(request: DirectRequest, deadlineMs: number): Promise<DirectAnswer> {
    const { headers, body } = await this.function.invoke('RequestResponse', request, deadlineMs);
    // The service's own success says nothing of the function's.
    if (headers['x-amz-function-error'] !== undefined) throw new Unavailable('lambda: deliver failed');
    return answerIn(body);
  }

  /** Ends the kept-alive sockets. */
  destroy(): void {
    this.function.destroy();
  }
}

function answerIn(body: string): DirectAnswer {
  try {
    const { served } = JSON.parse(body) as Partial<DirectAnswer>;
    if (Array.isArray(served)) return { served };
  } catch {
    // Told below.
  }
  throw new Unavailable('lambda: deliver answered something else');
}
