import type { Socket } from 'node:net';
import type { Access } from './access.ts';
import { WireReader, WireWriter } from './kafka-wire.ts';
import type { PresignedCheck } from './presigned.ts';
import { FrameReader, type Session } from './tls-proxy.ts';

export interface KafkaProxyOptions {
  readonly access: Access;
  readonly tokens: PresignedCheck;
  /** `arn:aws:kafka:{region}:{account}:cluster/{name}/{uuid}` */
  readonly clusterArn: string;
  /** How the broker is called by those who come through here. */
  readonly broker: { readonly host: string; readonly port: number };
  readonly log: (line: string) => void;
}

const API = {
  produce: 0,
  metadata: 3,
  saslHandshake: 17,
  apiVersions: 18,
  initProducerId: 22,
  saslAuthenticate: 36,
} as const;
/** From this version on a request is of the flexible kind. */
const FLEXIBLE_FROM: Readonly<Record<number, number>> = {
  [API.produce]: 9,
  [API.metadata]: 9,
  [API.initProducerId]: 2,
  [API.saslAuthenticate]: 2,
};
const TOPIC_AUTHORIZATION_FAILED = 29;
const SASL_AUTHENTICATION_FAILED = 58;
const FRAME_MAX_BYTES = 128 * 1024 * 1024;
const SESSION_MS = 12 * 60 * 60 * 1_000;

interface Request {
  readonly api: number;
  readonly version: number;
  readonly correlationId: number;
  readonly isFlexible: boolean;
  readonly reader: WireReader;
  readonly frame: Buffer;
}

const lengthOf = (bytes: Buffer): number | undefined => (bytes.length < 4 ? undefined : 4 + bytes.readInt32BE(0));

/** MSK with IAM in front of a broker, for one connection: tokens signed for the role, and its rights on every topic that is written. */
export class KafkaSession implements Session {
  private readonly incoming = new FrameReader(lengthOf, FRAME_MAX_BYTES);
  private readonly outgoing = new FrameReader(lengthOf, FRAME_MAX_BYTES);
  private readonly waiting: Buffer[] = [];
  private isChecking = false;
  private functionName: string | undefined;
  /** Versions of the metadata requests under way. */
  private readonly metadata = new Map<number, number>();

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly options: KafkaProxyOptions,
  ) {}

  fromClient(chunk: Buffer): void {
    this.waiting.push(...this.incoming.push(chunk));
    this.proceed();
  }

  fromServer(chunk: Buffer): void {
    for (const frame of this.outgoing.push(chunk)) {
      const correlationId = frame.readInt32BE(4);
      const version = this.metadata.get(correlationId);
      this.metadata.delete(correlationId);
      this.client.write(version === undefined ? frame : this.renameBrokers(frame, version));
    }
  }

  private proceed(): void {
    while (!this.isChecking) {
      const frame = this.waiting.shift();
      if (!frame) return;
      const request = read(frame);
      if (request.api === API.saslAuthenticate) {
        this.isChecking = true;
        void this.logIn(request).finally(() => {
          this.isChecking = false;
          this.proceed();
        });
      } else if (request.api === API.saslHandshake) {
        this.client.write(
          new WireWriter(false).int32(request.correlationId).int16(0).arrayLength(1).text('OAUTHBEARER').frame(),
        );
      } else if (request.api === API.apiVersions) this.server.write(frame);
      else if (this.functionName === undefined) this.cut('a request came before the log-in');
      else this.take(request, this.functionName);
    }
  }

  private take(request: Request, functionName: string): void {
    const { access, clusterArn } = this.options;
    const { api, correlationId, version, frame } = request;
    if (api === API.metadata) this.metadata.set(correlationId, version);
    else if (api === API.initProducerId) {
      const ask = { action: 'kafka-cluster:WriteDataIdempotently', resource: clusterArn };
      if (!access.allows(functionName, ask)) {
        this.client.destroy();
        return;
      }
    } else if (api === API.produce) {
      const topics = topicsOf(request);
      const refused = topics.some(({ name }) => !this.mayWrite(functionName, name));
      if (refused) {
        this.refuseProduce(request, topics);
        return;
      }
      access.onCall(functionName, 'kafka:Produce');
    } else {
      this.cut(`${functionName} sent a request of kind ${api}, which no function has a right to`);
      return;
    }
    this.server.write(frame);
  }

  private mayWrite(functionName: string, topic: string): boolean {
    const resource = `${this.options.clusterArn.replace(':cluster/', ':topic/')}/${topic}`;
    return ['kafka-cluster:WriteData', 'kafka-cluster:DescribeTopic'].every((action) =>
      this.options.access.allows(functionName, { action, resource }),
    );
  }

  private async logIn({ reader, correlationId, isFlexible }: Request): Promise<void> {
    const bearer = /auth=Bearer ([\w-]+)/.exec(reader.blob().toString())?.[1] ?? '';
    const refusal = await this.refusalOf(Buffer.from(bearer, 'base64url').toString());
    if (refusal !== undefined) this.options.log(`REFUSED a connection to the brokers: ${refusal}`);
    const answer = new WireWriter(isFlexible)
      .int32(correlationId)
      .noTags()
      .int16(refusal === undefined ? 0 : SASL_AUTHENTICATION_FAILED)
      .text(refusal === undefined ? undefined : 'Access denied')
      .blob(Buffer.alloc(0))
      .int64(BigInt(SESSION_MS))
      .noTags();
    this.client.write(answer.frame());
  }

  private async refusalOf(token: string): Promise<string | undefined> {
    const { tokens, access, clusterArn } = this.options;
    if (!URL.canParse(token)) return 'its token is none';
    const verified = await tokens.verify(new URL(token), 'kafka-cluster', ['User-Agent']);
    if ('refusal' in verified) return verified.refusal;
    const { key, query } = verified;
    if (query['Action'] !== 'kafka-cluster:Connect') return 'its token is for something else';
    if (!access.allows(key.functionName, { action: 'kafka-cluster:Connect', resource: clusterArn })) {
      return 'its role does not allow it';
    }
    this.functionName = key.functionName;
    return undefined;
  }

  private refuseProduce({ correlationId, isFlexible }: Request, topics: readonly Written[]): void {
    // Older versions are answered in a form of their own; no client that we know uses them.
    if (!isFlexible) {
      this.client.destroy();
      return;
    }
    const answer = new WireWriter(true).int32(correlationId).noTags().arrayLength(topics.length);
    for (const { name, partitions } of topics) {
      answer.text(name).arrayLength(partitions.length);
      for (const partition of partitions) {
        answer.int32(partition).int16(TOPIC_AUTHORIZATION_FAILED).int64(-1n).int64(-1n).int64(-1n);
        answer.arrayLength(0).text('Topic authorization failed.').noTags();
      }
      answer.noTags();
    }
    this.client.write(answer.int32(0).noTags().frame());
  }

  /** All brokers are one here, and are called as the template's cluster calls them. */
  private renameBrokers(frame: Buffer, version: number): Buffer {
    const isFlexible = version >= (FLEXIBLE_FROM[API.metadata] ?? 0);
    const body = frame.subarray(4);
    const reader = new WireReader(body, isFlexible);
    const writer = new WireWriter(isFlexible).int32(reader.int32());
    reader.skipTags();
    writer.noTags();
    if (version >= 3) writer.int32(reader.int32());
    const brokers = reader.arrayLength();
    writer.arrayLength(brokers);
    for (let i = 0; i < brokers; i++) {
      writer.int32(reader.int32());
      reader.text();
      reader.int32();
      writer.text(this.options.broker.host).int32(this.options.broker.port).text(reader.text());
      reader.skipTags();
      writer.noTags();
    }
    return writer.raw(body.subarray(reader.position)).frame();
  }

  private cut(why: string): void {
    this.options.log(`REFUSED a connection to the brokers: ${why}`);
    this.client.destroy();
  }
}

interface Written {
  readonly name: string;
  readonly partitions: readonly number[];
}

function read(frame: Buffer): Request {
  const head = new WireReader(frame.subarray(4));
  const api = head.int16();
  const version = head.int16();
  const isFlexible = version >= (FLEXIBLE_FROM[api] ?? Infinity);
  const reader = new WireReader(frame.subarray(4), isFlexible);
  reader.int32();
  const correlationId = reader.int32();
  // The client's own name is never compact.
  reader.text(false);
  reader.skipTags();
  return { api, version, correlationId, isFlexible, reader, frame };
}

/** The topics and partitions that a produce request writes. */
function topicsOf({ reader }: Request): Written[] {
  reader.text();
  reader.int16();
  reader.int32();
  return Array.from({ length: reader.arrayLength() }, () => {
    const name = reader.text() ?? '';
    const partitions = Array.from({ length: reader.arrayLength() }, () => {
      const index = reader.int32();
      reader.blob();
      reader.skipTags();
      return index;
    });
    reader.skipTags();
    return { name, partitions };
  });
}
