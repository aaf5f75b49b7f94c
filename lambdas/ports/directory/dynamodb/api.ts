import { setTimeout as sleep } from 'node:timers/promises';
import type {
  BatchGetItemInput,
  BatchGetItemOutput,
  GetItemInput,
  GetItemOutput,
  PutItemInput,
  PutItemOutput,
  QueryInput,
  QueryOutput,
  TransactWriteItemsInput,
  TransactWriteItemsOutput,
  UpdateItemInput,
  UpdateItemOutput,
} from '@aws-sdk/client-dynamodb';
import type { SignedHttp, SignedResponse } from '../../../runtime/aws/signed-http.ts';
import { Unavailable } from '../../unavailable.ts';
import type { Item } from './values.ts';

interface Operations {
  readonly BatchGetItem: { readonly input: BatchGetItemInput; readonly output: BatchGetItemOutput };
  readonly GetItem: { readonly input: GetItemInput; readonly output: GetItemOutput };
  readonly PutItem: { readonly input: PutItemInput; readonly output: PutItemOutput };
  readonly Query: { readonly input: QueryInput; readonly output: QueryOutput };
  readonly TransactWriteItems: { readonly input: TransactWriteItemsInput; readonly output: TransactWriteItemsOutput };
  readonly UpdateItem: { readonly input: UpdateItemInput; readonly output: UpdateItemOutput };
}
export type Operation = keyof Operations;
export type Input<O extends Operation> = Operations[O]['input'];
export type Output<O extends Operation> = Operations[O]['output'];

/** Nothing was written: what a condition asks for is not so. */
export class ConditionFailed extends Error {
  override readonly name = 'ConditionFailed';

  constructor(
    /** The item as it stands, where the request asked for it; undefined when there is none. */
    readonly item: Item | undefined,
    /** Which actions of a transaction failed, by their places. */
    readonly failedAt: readonly number[] = [],
  ) {
    super('a condition failed');
  }
}

/** What `DynamoApi` offers. */
export interface Dynamo {
  /**
   * Carries out one request, again and again while DynamoDB is busy or does not answer, until its deadline. A write may therefore be
   * applied twice: its condition must tell.
   * @throws {ConditionFailed} @throws {Unavailable} unknown whether it took effect.
   */
  call<O extends Operation>(operation: O, input: Input<O>): Promise<Output<O>>;
}

export interface DynamoTimes {
  /** All attempts of one call together. Default 3 s. */
  readonly callDeadlineMs?: number;
  /** Default 1.5 s: more than a hundred times what an answer takes. */
  readonly attemptTimeoutMs?: number;
}

const BACKOFF_MS = 20;

/** Errors that DynamoDB documents as worth a repeat, beside every status of 500 and above. */
const BUSY = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/** The same for a whole transaction: why single actions of it were given up. */
const BUSY_REASONS = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

type Attempt =
  | { readonly output: unknown }
  /** `again`: another attempt may end otherwise. */
  | { readonly error: Error; readonly again: boolean };

interface ErrorBody {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
  readonly Item?: Item;
  readonly CancellationReasons?: readonly { readonly Code?: string }[];
}

/** DynamoDB's JSON protocol with the inputs and outputs of the SDK, whose client alone is larger than a whole function here. */
export class DynamoApi implements Dynamo {
  private readonly callDeadlineMs: number;
  private readonly attemptTimeoutMs: number;

  constructor(
    private readonly http: SignedHttp,
    { callDeadlineMs = 3_000, attemptTimeoutMs = 1_500 }: DynamoTimes = {},
  ) {
    this.callDeadlineMs = callDeadlineMs;
    this.attemptTimeoutMs = attemptTimeoutMs;
  }

  async call<O extends Operation>(operation: O, input: Input<O>): Promise<Output<O>> {
    const body = JSON.stringify(input);
    const untilMs = performance.now() + this.callDeadlineMs;
    for (let attempts = 0; ; attempts++) {
      const attempt = await this.attempt(operation, body, untilMs);
      if ('output' in attempt) return attempt.output as Output<O>;
      const waitMs = BACKOFF_MS * 2 ** attempts * (0.5 + Math.random());
      if (!attempt.again || performance.now() + waitMs >= untilMs) throw attempt.error;
      await sleep(waitMs);
    }
  }

  private async attempt(operation: Operation, body: string, untilMs: number): Promise<Attempt> {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${operation}` };
    const timeoutMs = Math.min(this.attemptTimeoutMs, untilMs - performance.now());
    try {
      const response = await this.http.send({ method: 'POST', path: '/', headers, body, timeoutMs });
      if (response.status === 200) return { output: JSON.parse(response.body) };
      return failureOf(operation, response);
    } catch (error) {
      if (error instanceof Unavailable) return { error, again: true };
      throw error;
    }
  }
}

function failureOf(operation: Operation, { status, body }: SignedResponse): Attempt {
  const { __type = '', message, Message, Item: item, CancellationReasons = [] } = errorBodyOf(body);
  const name = __type.slice(__type.indexOf('#') + 1);
  if (name === 'ConditionalCheckFailedException') return { error: new ConditionFailed(item), again: false };
  const codes = CancellationReasons.map(({ Code = '' }) => Code);
  const failedAt = codes.flatMap((code, at) => (code === 'ConditionalCheckFailed' ? [at] : []));
  if (failedAt.length > 0) return { error: new ConditionFailed(undefined, failedAt), again: false };
  const error = new Unavailable(`dynamodb: ${operation}: ${status} ${name} ${message ?? Message ?? ''}`);
  return { error, again: status >= 500 || BUSY.has(name) || codes.some((code) => BUSY_REASONS.has(code)) };
}

/** Not every failure comes from DynamoDB itself. */
function errorBodyOf(body: string): ErrorBody {
  try {
    return JSON.parse(body) as ErrorBody;
  } catch {
    return {};
  }
}
