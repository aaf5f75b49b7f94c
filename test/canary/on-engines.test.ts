import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Producer, stringSerializers } from '@platformatic/kafka';
import { ENV } from '../../lambdas/runtime/env.ts';
import { callSqs } from '../../local/engine-calls.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { startEnginesApp, type EnginesApp } from '../../local/start-engines/app.ts';
import { synthesizeIfStale } from '../../local/start-engines/synthesize.ts';
import { describeWith } from '../require.ts';
import { makeFolder, removeFolders, until } from '../runtime/fixtures.ts';
import { Phone } from '../runtime/talk.ts';
import { Canaries, watchUrls } from './canaries.ts';

const START_MS = 180_000;
const GIVEN_UP = 'parley-small-deliver failed on a batch too often';

jest.setTimeout(120_000);

describeWith('engines', 'the synthesized app on engines', () => {
  const canaries = new Canaries();
  const { urls, stop } = watchUrls();
  const said: string[] = [];
  const functionLines: string[] = [];
  const calls: string[] = [];
  let isDeliverCrashing = false;
  let engines: Engines;
  let app: EnginesApp;

  beforeAll(async () => {
    const assembly = join(process.cwd(), '.parley', 'cdk.out');
    await synthesizeIfStale(process.cwd(), assembly, () => undefined);
    engines = await startEngines();
    app = await startEnginesApp({
      root: process.cwd(),
      assembly,
      engines: () => Promise.resolve(engines),
      dir: makeFolder(),
      log: (line) => said.push(line),
      functionLog: (name, line) => {
        functionLines.push(`${name} ${line}`);
        if (!isDeliverCrashing || !name.endsWith('-deliver') || !line.startsWith('START')) return;
        for (const pid of app.runtime.pidsOf(name)) process.kill(pid, 'SIGKILL');
      },
      onCall: (name, call) => calls.push(`${name} ${call}`),
      // Everything that the functions would ever say.
      change: (whole) => ({
        ...whole,
        mappings: whole.mappings.map((mapping) => ({ ...mapping, retriesMax: 1 })),
        functions: new Map(
          [...whole.functions].map(([name, definition]) => [
            name,
            { ...definition, environment: { ...definition.environment, POWERTOOLS_LOG_LEVEL: 'DEBUG' } },
          ]),
        ),
      }),
    });
  }, START_MS);

  afterAll(async () => {
    stop();
    await app.close();
    await engines.stop();
    removeFolders();
  });

  const open = async (userId: string, workspaceId: string): Promise<Phone> => {
    const subject = JSON.stringify({ userId, workspaceId, name: canaries.name });
    const answer = await fetch(`${app.url}/dev/token`, { method: 'POST', body: subject });
    canaries.addToken(((await answer.json()) as { token: string }).token);
    return Phone.open(app, userId, workspaceId);
  };

  function bucketOfDeliver(): string | undefined {
    const { mappings, stores } = app.app;
    const mapping = mappings.find(({ functionName }) => functionName.endsWith('-deliver'));
    return stores.buckets.find(({ arn }) => arn === mapping?.failureDestination)?.name;
  }

  /** Everything that lies in any bucket of the app. */
  async function storedObjects(): Promise<{ bucket: string; key: string; body: string }[]> {
    const { host, port } = engines.ministack;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const { region } = app.app.at;
    const s3 = new S3Client({ endpoint: `http://${host}:${port}`, region, forcePathStyle: true, credentials });
    const objects = [];
    for (const { name: bucket } of app.app.stores.buckets) {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      for (const { Key: key = '' } of Contents) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        objects.push({ bucket, key, body: (await Body?.transformToString()) ?? '' });
      }
    }
    s3.destroy();
    return objects;
  }

  /** The messages of the queue where `deliver` parks. */
  async function receiveParked(count: number): Promise<string[]> {
    const QueueUrl = app.app.functions.get('parley-small-deliver')?.environment[ENV.parkedQueueUrl];
    const bodies: string[] = [];
    for (let attempt = 0; attempt < 10 && bodies.length < count; attempt++) {
      const parameters = { QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: 10 };
      const { ministack } = engines;
      const answer = await callSqs(ministack, app.app.at.region, 'ReceiveMessage', parameters);
      const { Messages = [] } = answer as { Messages?: { Body: string }[] };
      bodies.push(...Messages.map(({ Body }) => Body));
    }
    return bodies;
  }

  it('writes no token, body, name or title to a log, a parked record or a URL; a batch that crashed deliver lies in its bucket only', async () => {
    const workspaceId = `w-${randomUUID().slice(0, 8)}`;
    const [ana, ben] = [await open('ana', workspaceId), await open('ben', workspaceId)];
    const group = { clientRequestId: randomUUID(), type: 'group', title: canaries.title, memberIds: ['ben'] };
    const made = await ana.ask('conversation.create', group);
    const { conversationId } = made.body?.['conversation'] as { conversationId: string };
    const text = (said: string): object => ({ content: { type: 'text', text: said } });
    const sent = await ana.ask('message.send', {
      conversationId,
      clientMessageId: randomUUID(),
      ...text(canaries.body),
    });
    expect(sent.ok).toBe(true);
    await until(() => ben.entries(canaries.body).length > 0, 'it arrives');
    const edit = {
      conversationId,
      clientRequestId: randomUUID(),
      targetId: sent.body?.['id'],
      ...text(canaries.edited),
    };
    expect((await ana.ask('message.edit', edit)).ok).toBe(true);
    for (const action of ['session.start', 'conversation.list', 'workspace.members', 'heartbeat']) {
      expect((await ben.ask(action)).ok).toBe(true);
    }
    await ben.ask('log.page', { conversationId });
    // Refused: a text where an id belongs, a conversation that is named like one.
    await ana.ask(canaries.body);
    await ana.ask('message.send', {
      conversationId: canaries.body,
      clientMessageId: canaries.body,
      ...text(canaries.body),
    });

    const poison = [
      canaries.body,
      JSON.stringify({ v: 9, entry: { content: { text: canaries.body } } }),
      JSON.stringify({
        v: 1,
        type: 'entry',
        conversation: canaries.body,
        entry: { id: canaries.body, seq: 1 },
        served: [],
      }),
    ];
    const bootstrapBrokers = [`127.0.0.1:${engines.kafka.port}`];
    const producer = new Producer({ clientId: 'test', bootstrapBrokers, serializers: stringSerializers });
    const messages = poison.map((value) => ({ topic: 'conversation-events', key: 'poison', value }));
    await producer.send({ messages, acks: -1 });
    // A batch of a deliver that crashes lies whole in the bucket of its own key: nowhere else may the text be.
    isDeliverCrashing = true;
    await producer.send({
      messages: [{ topic: 'conversation-events', key: 'crash', value: JSON.stringify({ crash: canaries.body }) }],
      acks: -1,
    });
    await until(() => said.some((line) => line.startsWith(GIVEN_UP)), 'the batch is given up', 60_000);
    isDeliverCrashing = false;
    const objects = await storedObjects();
    const withText = objects.filter(({ body }) => canaries.foundIn([body]).length > 0);
    expect(withText.map(({ bucket }) => bucket)).toEqual([bucketOfDeliver()]);
    await producer.close();
    const parked = await receiveParked(poison.length);
    expect(parked.length).toBeGreaterThanOrEqual(poison.length);
    await Promise.all([ana.close(), ben.close()]);

    expect([functionLines.length > 30, calls.length > 20, urls.length > 5]).toEqual([true, true, true]);
    for (const [place, lines] of Object.entries({
      functionLines,
      said,
      calls,
      parked,
      urls,
      keys: objects.map(({ key }) => key),
    })) {
      expect({ place, found: canaries.foundIn(lines) }).toEqual({ place, found: [] });
    }
  });
});
