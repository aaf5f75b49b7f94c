import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Producer, stringSerializers } from '@platformatic/kafka';
import type { MSKEvent } from 'aws-lambda';
import { Client } from 'cassandra-driver';
import { ENV } from '../../lambdas/runtime/env.ts';
import type { DeployedApp } from '../../local/assembly/deployed-app.ts';
import { callSqs } from '../../local/engine-calls.ts';
import { CASSANDRA_DATA_CENTER } from '../../local/engines/cassandra.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import type { FailureRecord } from '../../local/sources/failure-destination.ts';
import { startEnginesApp, type EnginesApp } from '../../local/start-engines/app.ts';
import { synthesizeIfStale } from '../../local/start-engines/synthesize.ts';
import { describeWith } from '../require.ts';
import { makeFolder, removeFolders, until } from './fixtures.ts';
import { meet, Phone } from './talk.ts';

const START_MS = 180_000;
const TTL_SECONDS = 365 * 24 * 60 * 60;

jest.setTimeout(60_000);

describeWith('engines', 'the synthesized app on real engines', () => {
  const assembly = join(process.cwd(), '.parley', 'cdk.out');
  let engines: Engines;
  let app: EnginesApp;
  let s3: S3Client;
  let said: string[];
  let functionLines: { name: string; line: string }[];
  let onLine: ((name: string, line: string) => void) | undefined;

  beforeAll(async () => {
    await synthesizeIfStale(process.cwd(), assembly, () => undefined);
    engines = await startEngines();
    const endpoint = `http://127.0.0.1:${engines.ministack.port}`;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    s3 = new S3Client({ endpoint, region: 'eu-west-1', forcePathStyle: true, credentials });
  }, START_MS);

  afterAll(async () => {
    s3.destroy();
    await engines.stop();
    removeFolders();
  });

  afterEach(async () => {
    onLine = undefined;
    await app.close();
  });

  async function start(change?: (app: DeployedApp) => DeployedApp): Promise<void> {
    said = [];
    functionLines = [];
    app = await startEnginesApp({
      root: process.cwd(),
      assembly,
      engines: () => Promise.resolve(engines),
      dir: makeFolder(),
      log: (line) => said.push(line),
      functionLog: (name, line) => {
        functionLines.push({ name, line });
        onLine?.(name, line);
      },
      ...(change && { change }),
    });
  }

  /** The app without the statements of these functions that are called so. */
  const without =
    (...removed: [name: string, sid: string][]) =>
    (whole: DeployedApp): DeployedApp => ({
      ...whole,
      functions: new Map(
        [...whole.functions].map(([name, definition]) => {
          const statements = definition.statements.filter(
            ({ from }) => !removed.some(([fn, sid]) => name.endsWith(`-${fn}`) && from.endsWith(` ${sid}`)),
          );
          return [name, { ...definition, statements }];
        }),
      ),
    });

  /** The next message of the queue where deliver parks, which is taken off it. */
  async function receive(): Promise<{ body: string }> {
    const QueueUrl = app.app.functions.get('parley-small-deliver')?.environment[ENV.parkedQueueUrl];
    const call = (operation: string, parameters: object): Promise<unknown> =>
      callSqs(engines.ministack, app.app.at.region, operation, { QueueUrl, ...parameters });
    const { Messages: [message] = [] } = (await call('ReceiveMessage', { WaitTimeSeconds: 20 })) as {
      Messages?: { Body: string; ReceiptHandle: string }[];
    };
    if (!message) throw new Error('the queue is empty');
    await call('DeleteMessage', { ReceiptHandle: message.ReceiptHandle });
    return { body: message.Body };
  }

  function bucketOfDeliver(): string | undefined {
    const { mappings, stores } = app.app;
    const mapping = mappings.find(({ functionName }) => functionName === 'parley-small-deliver');
    return stores.buckets.find(({ arn }) => arn === mapping?.failureDestination)?.name;
  }

  const isStart =
    (name: string) =>
    (from: string, line: string): boolean =>
      from === `parley-small-${name}` && line.startsWith('START');

  it('takes a message from A to B, and keeps it in Cassandra with a time to live', async () => {
    await start();
    const { ben, send, close, workspaceId, conversationId } = await meet(app);
    const { ok, body } = await send('hello');
    expect(ok).toBe(true);
    await until(() => ben.entries('hello').length > 0, 'Ben has it');
    expect(ben.entries('hello')).toEqual([body?.['id']]);

    const client = new Client({
      contactPoints: [`127.0.0.1:${engines.cassandra.port}`],
      localDataCenter: CASSANDRA_DATA_CENTER,
    });
    const { rows } = await client.execute(
      'SELECT message_id, seq, kind, body, TTL(body) AS ttl FROM parley_small.messages WHERE conversation_id = ?',
      [`${workspaceId}/${conversationId}`],
      { prepare: true },
    );
    await client.shutdown();
    expect(rows.map((row) => [row['message_id'], row['seq'], row['kind']].map(String))).toEqual([
      [body?.['id'], '1', 'message'],
    ]);
    expect(String(rows[0]?.['body'])).toContain('hello');
    expect(rows[0]?.['ttl']).toBeGreaterThan(TTL_SECONDS - 60);
    expect(rows[0]?.['ttl']).toBeLessThanOrEqual(TTL_SECONDS);
    expect(said).toEqual([]);
    await close();
  });

  it('edits, deletes, and changes who is in a group, by the rights of its roles; no byte of what was deleted is left', async () => {
    await start();
    const { ana, ben, close, workspaceId } = await meet(app);
    const cleo = await Phone.open(app, 'cleo', workspaceId);
    const ask = async (phone: Phone, action: string, body: object) => {
      const reply = await phone.ask(action, { clientRequestId: crypto.randomUUID(), ...body });
      expect({ action, ...reply }).toMatchObject({ action, ok: true });
      return reply.body as { id: string; seq: number; conversation: { conversationId: string } };
    };
    const said = (text: string) => ({ content: { type: 'text', text } });
    const group = { type: 'group', memberIds: ['ben'] };
    const { conversationId } = (await ask(ana, 'conversation.create', group)).conversation;
    const clientMessageId = crypto.randomUUID();
    const { id: targetId } = await ask(ana, 'message.send', { conversationId, clientMessageId, ...said('a secret') });
    await ask(ana, 'message.edit', { conversationId, targetId, ...said('another secret') });
    await until(() => ben.entries('another secret').length > 0, 'Ben has the edit');
    await ask(ana, 'message.delete', { conversationId, targetId });
    const { seq } = await ask(ana, 'member.add', { conversationId, userId: 'cleo' });
    await until(() => cleo.events.some(({ type }) => type === 'conversation'), 'Cleo is told');
    await ask(ana, 'member.remove', { conversationId, userId: 'ben' });
    await until(() => ben.events.some(({ body }) => body['change'] === 'removed'), 'Ben is told');
    await ask(cleo, 'conversation.leave', { conversationId });
    const refused = await ben.ask('log.sync', { conversationId, after: { seq: 0, id: '0' } });
    expect(refused.error).toMatchObject({ code: 'NOT_FOUND' });

    const client = new Client({
      contactPoints: [`127.0.0.1:${engines.cassandra.port}`],
      localDataCenter: CASSANDRA_DATA_CENTER,
    });
    const { rows } = await client.execute(
      'SELECT seq, kind, body FROM parley_small.messages WHERE conversation_id = ?',
      [`${workspaceId}/${conversationId}`],
      { prepare: true },
    );
    await client.shutdown();
    const kinds = rows.map((row) => `${String(row['seq'])} ${String(row['kind'])}`).reverse();
    expect(kinds).toEqual(['1 deleted', '2 deleted', '3 delete', `${seq} member`, '5 member', '6 member']);
    expect(rows.map((row) => String(row['body'])).join()).not.toContain('secret');
    await cleo.close();
    await close();
  });

  it('lets nobody in without a token of its issuer, and serves the local surface', async () => {
    await start();
    expect(await (await fetch(`${app.url}/healthz`)).json()).toEqual({ status: 'ready' });
    expect(await (await fetch(`${app.url}/config.json`)).json()).toEqual({ socketUrl: app.socketUrl });
    const stranger = Phone.open({ url: `${app.url}/elsewhere`, socketUrl: app.socketUrl }, 'ana', 'w');
    await expect(stranger).rejects.toMatchObject({ status: 401 });
    const local = await Phone.open(
      { url: app.url, socketUrl: app.socketUrl.replace(/\/small$/, '/local') },
      'ana',
      'w',
    );
    expect((await local.ask('heartbeat')).ok).toBe(true);
    await local.close();
  });

  it.each([
    ['before anything is stored', isStart('send'), false],
    ['when it is stored and being delivered', isStart('deliver'), true],
  ])(
    'gives an error frame when send is killed %s; the repeat succeeds, with one entry and one id',
    async (_, isMoment, isStored) => {
      await start();
      const { ben, send, close } = await meet(app);
      await send('first');
      await until(() => ben.entries('first').length > 0, 'everything is warm');
      onLine = (name, line) => {
        if (!isMoment(name, line)) return;
        onLine = undefined;
        process.kill(app.runtime.pidsOf('parley-small-send')[0] ?? 0, 'SIGKILL');
      };
      const clientMessageId = crypto.randomUUID();
      expect(await send('second', clientMessageId)).toMatchObject({ message: 'Internal server error' });
      const repeated = await send('second', clientMessageId);
      expect(repeated.ok).toBe(true);
      expect(await send('second', clientMessageId)).toMatchObject({ ok: true, body: repeated.body });
      await until(() => ben.entries('second').length > 0, 'Ben has it');
      expect(new Set(ben.entries('second'))).toEqual(new Set([repeated.body?.['id']]));
      if (isStored) expect(repeated.body?.['seq']).toBe(2);
      await close();
    },
  );

  it('delivers everything through Kafka when the direct path is refused, and names the action that is missing', async () => {
    await start(without(['send', 'InvokeDeliver']));
    const { ben, send, close } = await meet(app);
    const texts = ['one', 'two', 'three'];
    for (const text of texts) expect((await send(text)).ok).toBe(true);
    for (const text of texts) await until(() => ben.entries(text).length > 0, `Ben has ${text}`);
    const refusal =
      'REFUSED parley-small-send: lambda:InvokeFunction on arn:aws:lambda:eu-west-1:000000000000:function:parley-small-deliver: no statement of its role allows it';
    expect(new Set(said)).toEqual(new Set([refusal]));
    await close();
  });

  it('refuses send the log when its right is removed: no ack, nothing delivered', async () => {
    await start(without(['send', 'Log']));
    const { ben, send, close } = await meet(app);
    expect(await send('lost')).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
    expect(said).toContain(
      'REFUSED parley-small-send: cassandra:Modify on arn:aws:cassandra:eu-west-1:000000000000:/keyspace/parley_small/table/messages: no statement of its role allows it',
    );
    expect(ben.entries('lost')).toEqual([]);
    await close();
  });

  it('refuses each of these rights when it is removed, and everything else goes on', async () => {
    await start(
      without(
        ['send', 'WriteTopics'],
        ['heartbeat', 'Presence'],
        ['receipt', 'Brokers'],
        ['disconnect', 'Connections'],
      ),
    );
    const { ana, ben, send, close, conversationId } = await meet(app);
    expect((await send('direct')).ok).toBe(true);
    await until(() => ben.entries('direct').length > 0, 'Ben has it by the direct path');
    await ana.ask('heartbeat');
    await ben.ask('receipt.set', { conversationId, deliveredSeq: 1 });
    await close();
    for (const refusal of [
      'REFUSED parley-small-send: kafka-cluster:WriteData on arn:aws:kafka:eu-west-1:000000000000:topic/parley-small/local/conversation-events: no statement of its role allows it',
      'REFUSED parley-small-heartbeat: elasticache:Connect on arn:aws:elasticache:eu-west-1:000000000000:serverlesscache:parley-small: no statement of its role allows it',
      'REFUSED parley-small-receipt: kafka-cluster:Connect on arn:aws:kafka:eu-west-1:000000000000:cluster/parley-small/local: no statement of its role allows it',
      'REFUSED parley-small-disconnect: dynamodb:UpdateItem on arn:aws:dynamodb:eu-west-1:000000000000:table/parley-small-connections: no statement of its role allows it',
    ]) {
      await until(() => said.includes(refusal), refusal);
    }
  });

  it('refuses deliver the sockets, connect its table, and pollers the topic, when the rights are removed', async () => {
    await start(without(['deliver', 'Sockets'], ['deliver', 'PollerTopics'], ['connect', 'Directory']));
    expect(said.filter((line) => line.startsWith('PROBLEM'))).toEqual([
      expect.stringMatching(
        /^PROBLEM: parley-small-realtime\/DeliveryMapping\w+ reads nothing, since the role of parley-small-deliver does not allow it$/,
      ),
      expect.stringMatching(/^PROBLEM: /),
    ]);
    await expect(meet(app)).rejects.toMatchObject({ status: 502 });
    expect(said).toContain(
      'REFUSED parley-small-connect: dynamodb:GetItem on arn:aws:dynamodb:eu-west-1:000000000000:table/parley-small-directory: no statement of its role allows it',
    );
  });

  it('parks a record that nobody understands, without holding up those behind it', async () => {
    await start();
    const { ben, send, close } = await meet(app);
    const bootstrapBrokers = [`127.0.0.1:${engines.kafka.port}`];
    const producer = new Producer({ clientId: 'test', bootstrapBrokers, serializers: stringSerializers });
    await producer.send({ messages: [{ topic: 'conversation-events', key: 'poison', value: 'no JSON' }], acks: -1 });
    await producer.close();
    const { body } = await receive();
    expect(JSON.parse(body)).toMatchObject({ topic: 'conversation-events', offset: expect.any(Number) as number });
    expect(body).not.toContain('no JSON');
    expect((await send('after')).ok).toBe(true);
    await until(() => ben.entries('after').length > 0, 'Ben has the next message');
    await close();
  });

  it('keeps in the bucket the batch of a deliver that crashes, and goes on', async () => {
    await start((whole) => ({
      ...without(['send', 'InvokeDeliver'])(whole),
      mappings: whole.mappings.map((mapping) => ({ ...mapping, retriesMax: 1 })),
    }));
    const { ben, send, close, conversationId } = await meet(app);
    await send('first');
    await until(() => ben.entries('first').length > 0, 'everything is warm');
    onLine = (name, line) => {
      if (isStart('deliver')(name, line)) process.kill(app.runtime.pidsOf('parley-small-deliver')[0] ?? 0, 'SIGKILL');
    };
    expect((await send('crashing')).ok).toBe(true);
    const told = /^parley-small-deliver failed on a batch too often: it lies in s3:\/\/([^/]+)\/(aws\/lambda\/.+)$/;
    await until(() => said.some((line) => told.test(line)), 'it is given up');
    onLine = undefined;
    const [, Bucket, Key] = told.exec(said.find((line) => told.test(line)) ?? '') ?? [];
    expect(Bucket).toBe(bucketOfDeliver());
    expect(Key).toMatch(
      /^aws\/lambda\/DeliveryMapping\w+\/(\d{4}\/\d\d\/\d\d)\/[\d-]{10}T\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
    );
    const stored = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const record = JSON.parse((await stored.Body?.transformToString()) ?? '') as FailureRecord & { payload: MSKEvent };
    expect(record).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      KafkaBatchInfo: { batchSize: 1 },
    });
    const [event] = Object.values(record.payload.records).flat();
    expect(Buffer.from(event?.value ?? '', 'base64').toString()).toContain(conversationId);
    expect((await send('after')).ok).toBe(true);
    await until(() => ben.entries('after').length > 0, 'Ben has the next message');
    await close();
  });

  it('refuses API Gateway a function that does not admit it', async () => {
    await start((whole) => ({
      ...whole,
      functions: new Map(
        [...whole.functions].map(([name, definition]) => [
          name,
          { ...definition, permissions: name.endsWith('-connect') ? [] : definition.permissions },
        ]),
      ),
    }));
    await expect(meet(app)).rejects.toMatchObject({ status: 500 });
    expect(said[0]).toMatch(
      /^REFUSED API Gateway: lambda:InvokeFunction on parley-small-connect: no permission admits arn:aws:execute-api:.*\/small\/\$connect$/,
    );
  });
});
