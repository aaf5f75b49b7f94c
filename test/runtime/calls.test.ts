import { join } from 'node:path';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { startEnginesApp, type EnginesApp } from '../../local/start-engines/app.ts';
import { synthesizeIfStale } from '../../local/start-engines/synthesize.ts';
import { describeWith } from '../require.ts';
import { makeFolder, removeFolders, until } from './fixtures.ts';
import { meet, Phone } from './talk.ts';

const START_MS = 180_000;
const MEMBERS = 100;
const ONLINE = 20;

jest.setTimeout(120_000);

describeWith('engines', 'the AWS calls of one message, counted at the wire', () => {
  let engines: Engines;
  let app: EnginesApp;
  let calls: string[] = [];

  beforeAll(async () => {
    const assembly = join(process.cwd(), '.parley', 'cdk.out');
    await synthesizeIfStale(process.cwd(), assembly, () => undefined);
    engines = await startEngines();
    app = await startEnginesApp({
      root: process.cwd(),
      assembly,
      engines: () => Promise.resolve(engines),
      dir: makeFolder(),
      log: () => undefined,
      onCall: (functionName, call) => calls.push(`${functionName.replace('parley-small-', '')} ${call}`),
    });
  }, START_MS);

  afterAll(async () => {
    await app.close();
    await engines.stop();
    removeFolders();
  });

  it('are at most 8 between two who are there', async () => {
    const { ben, send, close } = await meet(app);
    await send('warm');
    await until(() => ben.entries('warm').length > 0, 'the first one arrives');
    calls = [];
    await send('counted');
    await until(() => ben.entries('counted').length > 0, 'it arrives');
    expect([...calls].sort()).toEqual([
      'deliver dynamodb:BatchGetItem',
      'deliver execute-api:POST',
      'send cassandra:Execute',
      'send dynamodb:BatchGetItem',
      'send dynamodb:PutItem',
      'send dynamodb:UpdateItem',
      'send kafka:Produce',
      'send lambda:InvokeFunction',
    ]);
    await close();
  });

  it(`are at most 29 in a group of ${String(MEMBERS)} with ${String(ONLINE)} online: those offline cost none`, async () => {
    const workspaceId = `w-${crypto.randomUUID().slice(0, 8)}`;
    const names = Array.from({ length: MEMBERS }, (_, i) => `user-${String(i)}`);
    for (const userId of names) {
      await fetch(`${app.url}/dev/token`, { method: 'POST', body: JSON.stringify({ userId, workspaceId }) });
    }
    const phones: Phone[] = [];
    for (const userId of names.slice(0, ONLINE)) phones.push(await Phone.open(app, userId, workspaceId));
    const sender = phones[0]!;
    const made = await sender.ask('conversation.create', { clientRequestId: 'g', type: 'group', memberIds: names });
    const { conversationId } = made.body!['conversation'] as { conversationId: string };
    const send = async (text: string): Promise<void> => {
      const clientMessageId = crypto.randomUUID();
      await sender.ask('message.send', { conversationId, clientMessageId, content: { type: 'text', text } });
      await until(() => phones.slice(1).every((phone) => phone.entries(text).length > 0), 'it reaches everyone online');
    };
    await send('warm');
    calls = [];
    await send('counted');
    const posts = calls.filter((call) => call === 'deliver execute-api:POST');
    expect(posts).toHaveLength(ONLINE - 1);
    expect(calls.length).toBeLessThanOrEqual(29);
    await Promise.all(phones.map((phone) => phone.close()));
  });
});
