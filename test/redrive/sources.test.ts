import { randomUUID } from 'node:crypto';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { callSqs, putInS3 } from '../../local/engine-calls.ts';
import { Aws } from '../../scripts/doctor/aws.ts';
import type { LostBatch } from '../../scripts/redrive/lost.ts';
import { failedIn, parkedIn } from '../../scripts/redrive/sources.ts';
import { describeWith } from '../require.ts';

const REGION = 'eu-west-1';
const START_MS = 300_000;

jest.setTimeout(60_000);

describeWith('engines', 'what lies in a real queue and a real bucket', () => {
  let engines: Engines<'ministack'>;
  let aws: Aws;
  beforeAll(async () => {
    engines = await startEngines({ only: ['ministack'] });
    const { host, port } = engines.ministack;
    const credentials = () => Promise.resolve({ accessKeyId: 'test', secretAccessKey: 'test' });
    aws = new Aws({ region: REGION, endpoint: `http://${host}:${port}`, credentials });
  }, START_MS);
  afterAll(() => engines.stop(), START_MS);

  const collect = async (batches: AsyncIterable<LostBatch>, take: boolean): Promise<LostBatch[]> => {
    const found: LostBatch[] = [];
    for await (const batch of batches) {
      found.push(batch);
      if (take) await batch.done();
    }
    return found;
  };

  it('is found in a queue of more than one page, and is gone when it is done', async () => {
    const created = await callSqs(engines.ministack, REGION, 'CreateQueue', { QueueName: `q-${randomUUID()}` });
    const { QueueUrl } = created as { QueueUrl: string };
    for (let seq = 1; seq <= 25; seq++) {
      const MessageBody = JSON.stringify({ topic: 'conversation-events', conversation: 'w1/c', seq, code: 'INTERNAL' });
      await callSqs(engines.ministack, REGION, 'SendMessage', { QueueUrl, MessageBody });
    }
    const found = await collect(parkedIn(aws, QueueUrl), true);
    const seqs = found.flatMap(({ numbers }) => numbers.map(({ seq }) => seq));
    expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    const { Attributes } = (await callSqs(engines.ministack, REGION, 'GetQueueAttributes', {
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    })) as { Attributes: Record<string, string> };
    expect(Object.values(Attributes)).toEqual(['0', '0']);
  });

  it('is found in a bucket, stays there when nothing is done, and is gone when it is', async () => {
    const bucket = `b-${randomUUID()}`;
    const location = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
    await putInS3(engines.ministack, REGION, `/${bucket}`, location);
    const record = { v: 1, type: 'entry', conversation: 'w1/c', entry: { seq: 9 } };
    const value = Buffer.from(JSON.stringify(record)).toString('base64');
    const failed = { requestContext: {}, payload: { records: { 'conversation-events-0': [{ value }] } } };
    for (const name of ['one', 'two']) {
      await putInS3(engines.ministack, REGION, `/${bucket}/aws/lambda/m/2026/01/01/${name}`, JSON.stringify(failed));
    }
    await putInS3(engines.ministack, REGION, `/${bucket}/something-else`, 'x');
    const looked = await collect(failedIn(aws, bucket), false);
    expect(looked.map(({ numbers }) => numbers)).toEqual([
      [{ conversation: 'w1/c', seq: 9 }],
      [{ conversation: 'w1/c', seq: 9 }],
    ]);
    expect(await collect(failedIn(aws, bucket), true)).toHaveLength(2);
    expect(await collect(failedIn(aws, bucket), true)).toEqual([]);
  });
});
