import { Producer, type Message } from '@platformatic/kafka';
import { callSqs, type Endpoint } from '../../../local/engine-calls.ts';
import { KafkaSource } from '../../../local/sources/kafka-source.ts';
import type { EnginesApp } from '../../../local/start-engines/app.ts';

type Produced = Omit<Partial<Message>, 'topic'> & {
  readonly value?: Buffer;
  readonly key?: Buffer;
};

export interface Parked {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly code: string;
}

/** The topics and their consumers, past every function and every right. */
export class Stream {
  private readonly broker: Endpoint;
  private readonly pollers: KafkaSource[] = [];
  private readonly parkedSoFar: Parked[] = [];

  constructor(
    private readonly app: EnginesApp,
    private readonly engines: { readonly kafka: Endpoint; readonly ministack: Endpoint },
  ) {
    this.broker = { host: engines.kafka.host, port: engines.kafka.port };
  }

  /** Writes records as they are, bodies that nobody understands included. */
  async produce(topic: string, records: readonly Produced[]): Promise<void> {
    const { host, port } = this.broker;
    const producer = new Producer({
      clientId: 'faults',
      bootstrapBrokers: [`${host}:${port}`],
      autocreateTopics: false,
    });
    try {
      await producer.send({ messages: records.map((record) => ({ ...record, topic })), acks: -1 });
    } finally {
      await producer.close();
    }
  }

  /** One more consumer in the group of `deliver`, as when the service scales out: partitions move to it. */
  async addPoller(topic: string): Promise<void> {
    const mapping = this.app.app.mappings.find((each) => each.kind === 'kafka' && each.topic === topic);
    if (mapping?.kind !== 'kafka') throw new Error(`nobody reads ${topic}`);
    const poller = new KafkaSource({
      mapping,
      functionArn: '',
      broker: this.broker,
      bootstrapServers: '',
      invoke: (event) => this.app.runtime.invoke(mapping.functionName, event),
      giveUp: () => Promise.reject(new Error('a batch was given up')),
      log: () => undefined,
    });
    await poller.start();
    this.pollers.push(poller);
  }

  async removePollers(): Promise<void> {
    for (const poller of this.pollers.splice(0)) await poller.stop();
  }

  /** Everything that was parked since the lab was opened. */
  async parked(): Promise<readonly Parked[]> {
    const { at, stores } = this.app.app;
    const QueueUrl = stores.queues[0]?.url;
    for (;;) {
      const { Messages = [] } = (await callSqs(this.engines.ministack, at.region, 'ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 10,
      })) as { Messages?: { Body: string; ReceiptHandle: string }[] };
      if (Messages.length === 0) return this.parkedSoFar;
      for (const { Body, ReceiptHandle } of Messages) {
        this.parkedSoFar.push(JSON.parse(Body) as Parked);
        await callSqs(this.engines.ministack, at.region, 'DeleteMessage', { QueueUrl, ReceiptHandle });
      }
    }
  }
}
