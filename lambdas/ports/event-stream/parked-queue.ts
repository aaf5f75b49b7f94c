import type { Signing } from '../../runtime/aws/credentials.ts';
import { SignedHttp } from '../../runtime/aws/signed-http.ts';
import { Unavailable } from '../unavailable.ts';
import type { ParkedRecord } from './port.ts';

export interface ParkedQueueOptions {
  /** As SQS names the queue. */
  readonly queueUrl: string;
  readonly signing: Signing;
  /** Where SQS answers. Default: the host of the queue's URL. */
  readonly endpoint?: string;
  /** How long one call may take. Default 5 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;

/** The queue for records that a consumer gave up on: one signed call for each, without an SDK. */
export class ParkedQueue {
  private readonly http: SignedHttp;

  constructor(private readonly options: ParkedQueueOptions) {
    const { queueUrl, signing, endpoint = new URL(queueUrl).origin } = options;
    this.http = new SignedHttp({ endpoint, service: 'sqs', ...signing });
  }

  /** @throws {Unavailable} unknown whether it was stored; a repeat may store it twice */
  async send(record: ParkedRecord): Promise<void> {
    const { status } = await this.http.send({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
      body: JSON.stringify({ QueueUrl: this.options.queueUrl, MessageBody: JSON.stringify(record) }),
      timeoutMs: this.options.timeoutMs ?? TIMEOUT_MS,
    });
    if (status !== 200) throw new Unavailable(`parked queue: SQS answered ${status}`);
  }
}
