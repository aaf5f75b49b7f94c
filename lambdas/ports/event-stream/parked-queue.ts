import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Signing } from '../../runtime/aws/credentials.ts';
import { Sha256 } from '../../runtime/sha256.ts';
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
  private readonly endpoint: URL;
  private readonly signer: SignatureV4;

  constructor(private readonly options: ParkedQueueOptions) {
    const { queueUrl, signing, endpoint = new URL(queueUrl).origin } = options;
    this.endpoint = new URL(endpoint);
    const { region, credentials } = signing;
    this.signer = new SignatureV4({ service: 'sqs', region, credentials, sha256: Sha256 });
  }

  /** @throws {Unavailable} unknown whether it was stored; a repeat may store it twice */
  async send(record: ParkedRecord): Promise<void> {
    const { protocol, host, hostname } = this.endpoint;
    const body = JSON.stringify({ QueueUrl: this.options.queueUrl, MessageBody: JSON.stringify(record) });
    const headers = { host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' };
    const request = new HttpRequest({ method: 'POST', protocol, hostname, path: '/', headers, body });
    let status: number;
    try {
      const signed = await this.signer.sign(request);
      const signal = AbortSignal.timeout(this.options.timeoutMs ?? TIMEOUT_MS);
      const response = await fetch(new URL('/', this.endpoint), {
        method: 'POST',
        headers: signed.headers,
        body,
        signal,
      });
      await response.arrayBuffer();
      status = response.status;
    } catch (error) {
      throw new Unavailable(`parked queue: ${String(error)}`, { cause: error });
    }
    if (status !== 200) throw new Unavailable(`parked queue: SQS answered ${status}`);
  }
}
