import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
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

jest.setTimeout(120_000);

describeWith('engines', 'the synthesized app on engines', () => {
  const canaries = new Canaries();
  const { urls, stop } = watchUrls();
  const said: string[] = [];
  const functionLines: string[] = [];
  const calls: string[] = [];
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
      functionLog: (name, line) => functionLines.push(`${name} ${line}`),
      onCall: (name, call) => calls.push(`${name} ${call}`),
      // Everything that the functions would ever say.
      change: (whole) => ({
        ...whole,
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

  it('writes no token, body, name or title to a log, a parked record or a URL', async () => {
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
    await producer.close();
    const parked = await receiveParked(poison.length);
    expect(parked.length).toBeGreaterThanOrEqual(poison.length);
    await Promise.all([ana.close(), ben.close()]);

    expect([functionLines.length > 30, calls.length > 20, urls.length > 5]).toEqual([true, true, true]);
    for (const [place, lines] of Object.entries({ functionLines, said, calls, parked, urls })) {
      expect({ place, found: canaries.foundIn(lines) }).toEqual({ place, found: [] });
    }
  });
});
