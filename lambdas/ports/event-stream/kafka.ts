import type { Producer } from '@platformatic/kafka';
import type { Signing } from '../../runtime/aws/credentials.ts';
import { kafkaToken } from '../../runtime/aws/tokens.ts';
import { Patience } from '../../runtime/patience.ts';
import type { ParkedQueue } from './parked-queue.ts';
import type { EventStream, ParkedRecord, Topic, TopicRecords } from './port.ts';

export interface KafkaEventStreamOptions {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** For MSK: TLS, and tokens signed for the role. Without it neither, as a local broker asks for. */
  readonly auth?: Signing;
  /** Where records go that a consumer gave up on. Default: none, for those who only publish. */
  readonly parkedQueue?: ParkedQueue;
  /** How long one call may take, its repetitions included. Default 3 s. */
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

const TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RETRIES_MAX = 3;
const RETRY_DELAY_MS = 100;
/** Every replica that is in sync has it. */
const ACKS_ALL = -1;

type StringProducer = Producer<string, string, string, string>;

/** A file of its own beside the bundle of a deployed function. */
const loadClient = () => import('@platformatic/kafka');

/** The stream in Kafka. Loads the client and connects on the first record. */
export class KafkaEventStream implements EventStream {
  private producer: Promise<StringProducer> | undefined;
  private readonly timeoutMs: number;
  /** Entries are durable before they are published, and `repair` publishes what was not. */
  private readonly patience: Patience;

  constructor(private readonly options: KafkaEventStreamOptions) {
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.patience = new Patience('event stream', options.now);
  }

  /** Has the client loaded before the first record. */
  async load(): Promise<void> {
    await loadClient();
  }

  async publish<T extends Topic>(topic: T, key: string, record: TopicRecords[T]): Promise<void> {
    const message = { topic, key, value: JSON.stringify(record) };
    await this.patience.wait(this.timeoutMs, async () => {
      const producer = await (this.producer ??= this.makeProducer());
      await producer.send({ messages: [message], acks: ACKS_ALL });
    });
  }

  async park(record: ParkedRecord): Promise<void> {
    if (!this.options.parkedQueue) throw new Error('This function has no queue for parked records.');
    await this.options.parkedQueue.send(record);
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await (await this.producer)?.close();
  }

  private async makeProducer(): Promise<StringProducer> {
    const { brokers, auth } = this.options;
    const { Producer, compatibilityPartitioner, stringSerializers } = await loadClient();
    return new Producer({
      clientId: 'parley',
      bootstrapBrokers: [...brokers],
      serializers: stringSerializers,
      // As Kafka's own clients place keys, so that any tool finds a conversation where we put it.
      partitioner: compatibilityPartitioner,
      timeout: this.timeoutMs,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Later than ours: then it is known that nobody answered.
      requestTimeout: 2 * this.timeoutMs,
      retries: RETRIES_MAX,
      retryDelay: RETRY_DELAY_MS,
      ...(auth && { tls: {}, tlsServerName: true, sasl: { mechanism: 'OAUTHBEARER', token: () => kafkaToken(auth) } }),
    });
  }
}
