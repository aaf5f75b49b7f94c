import { randomUUID } from 'node:crypto';
import type { LambdaRuntime } from '../lambda/runtime.ts';
import { Throttled } from '../lambda/result.ts';
import type { Access } from './access.ts';
import type { Answer, Call, HttpService } from './https-services.ts';

export interface LambdaApiOptions {
  readonly access: Access;
  readonly runtime: () => Pick<LambdaRuntime, 'has' | 'invoke'>;
  /** `arn:aws:lambda:{region}:{account}:function` */
  readonly arnPrefix: string;
  readonly log: (line: string) => void;
}

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations(?:\?.*)?$/;

/** Invoke of the Lambda API: waiting for the answer, or not. */
export class LambdaApi implements HttpService {
  readonly signingName = 'lambda';

  constructor(private readonly options: LambdaApiOptions) {}

  async answer({ functionName: caller, method, path, headers, body }: Call): Promise<Answer> {
    const { access, arnPrefix, log } = this.options;
    const named = decodeURIComponent(INVOKE.exec(path)?.[1] ?? '');
    if (method !== 'POST' || named === '') {
      return this.refuse('UnknownOperationException', `${method} ${path} is not served on this machine`, 404);
    }
    const functionName = named.slice(named.lastIndexOf(':') + 1);
    const ask = { action: 'lambda:InvokeFunction', resource: `${arnPrefix}:${functionName}` };
    if (!access.allows(caller, ask)) {
      const message = `User: ${caller} is not authorized to perform: ${ask.action} on resource: ${ask.resource}`;
      return this.refuse('AccessDeniedException', message, 403);
    }
    access.onCall(caller, ask.action);
    const runtime = this.options.runtime();
    if (!runtime.has(functionName)) {
      return this.refuse('ResourceNotFoundException', `Function not found: ${ask.resource}`, 404);
    }
    let event: unknown;
    try {
      event = body.length === 0 ? {} : JSON.parse(body.toString());
    } catch {
      return this.refuse('InvalidRequestContentException', 'Could not parse request body into json.', 400);
    }
    if (headers['x-amz-invocation-type'] === 'Event') {
      runtime.invoke(functionName, event).catch((error: unknown) => log(`${functionName}: ${String(error)}`));
      return { status: 202, headers: requestId(), body: '' };
    }
    try {
      const { payload, failed } = await runtime.invoke(functionName, event);
      return {
        status: 200,
        headers: {
          ...requestId(),
          'Content-Type': 'application/json',
          'X-Amz-Executed-Version': '$LATEST',
          ...(failed && { 'X-Amz-Function-Error': 'Unhandled' }),
        },
        body: payload,
      };
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      return this.refuse(error.name, error.message, 429);
    }
  }

  refuse(type: string, message: string, status = 403): Answer {
    return {
      status,
      headers: { ...requestId(), 'Content-Type': 'application/json', 'x-amzn-ErrorType': type },
      body: JSON.stringify({ Message: message }),
    };
  }
}

function requestId(): Record<string, string> {
  return { 'x-amzn-RequestId': randomUUID() };
}
