import { randomUUID } from 'node:crypto';
import { ACTION_NAMES } from '@parley/protocol';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { logLines } from '../bad-input/support/log-lines.ts';
import { SAMPLES } from '../bad-input/support/samples.ts';
import { mutated } from '../bad-input/support/seed.ts';
import { until } from '../bad-input/support/until.ts';
import { frameOf, Wire } from '../bad-input/support/wire.ts';
import { message, World } from '../bad-input/support/world.ts';
import { intercept } from '../lambdas/support/intercept.ts';
import { mskEvent } from '../lambdas/support/events.ts';
import { Canaries, watchUrls } from './canaries.ts';

jest.setTimeout(60_000);

it('no token, body, name or title stands in a log line, a parked record, the answer of a failed function or a URL', async () => {
  const canaries = new Canaries();
  const { urls, stop } = watchUrls();
  const printed: string[] = [];
  const print = (chunk: unknown): boolean => printed.push(String(chunk)) > 0;
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(print),
    jest.spyOn(process.stderr, 'write').mockImplementation(print),
  ];
  let isDown = false;
  const world = await World.start({
    repairWindowMs: 50,
    override: (services) =>
      intercept(services, ({ port, proceed }) =>
        isDown && port !== 'gateway' ? Promise.reject(new Unavailable('a store is down')) : proceed(),
      ),
  });
  const failures: string[] = [];
  const invoke = async (name: string, event: unknown): Promise<void> => {
    await world.invoke(name, event).catch((error: unknown) => failures.push(String(error)));
  };
  try {
    const open = async (): Promise<Wire> => {
      const user = world.newUser();
      const token = canaries.addToken(await world.app.issuer.issue({ ...user, name: canaries.name }));
      return Wire.open(world.app.socketUrl, ['parley.v1', `bearer.${token}`], user);
    };
    const [ana, ben] = [await open(), await open()];
    const group = {
      clientRequestId: randomUUID(),
      type: 'group' as const,
      title: canaries.title,
      memberIds: [ben.user.userId],
    };
    const { conversationId } = (await ana.call('conversation.create', group)).conversation;
    const said = await ana.call('message.send', message(conversationId, canaries.body));
    const content = { type: 'text' as const, text: canaries.edited };
    await ana.call('message.edit', { conversationId, clientRequestId: randomUUID(), targetId: said.id, content });
    await until(
      () => [canaries.body, canaries.edited].every((text) => ben.raw.some((raw) => raw.includes(text))),
      'both arrive',
    );
    expect(JSON.stringify(await ben.call('workspace.members', {}))).toContain(canaries.name);
    expect(JSON.stringify(await ben.call('conversation.list', {}))).toContain(canaries.title);

    // Everything that can be asked, as it should be, spoiled, and while every store is down.
    const scene = await world.scene();
    const spiked = (action: (typeof ACTION_NAMES)[number]): string =>
      frameOf(action, SAMPLES[action](scene)).replaceAll(/"(?:hello|Hello|Lunch)"/gi, JSON.stringify(canaries.body));
    for (const down of [false, true]) {
      isDown = down;
      for (const action of ACTION_NAMES) {
        const text = spiked(action);
        for (const one of [
          text,
          mutated(text, [{ how: 'insert', at: 40, edge: canaries.body }]),
          `${canaries.body}${text}`,
        ])
          await scene.owner.ask(one);
      }
      await scene.owner.ask(canaries.body);
      // What the stream may hold that nobody can carry out.
      const entry = { id: canaries.body, seq: 1, kind: 'message', content: { text: canaries.body } };
      await invoke(
        'deliver',
        mskEvent('conversation-events', [
          {
            v: 1,
            type: 'entry',
            conversation: `acme/${conversationId}`,
            entry: { ...entry, conversationId },
            served: [],
          },
          { v: 1, type: 'entry', conversation: canaries.body, entry, served: 'all' },
          { v: 9, entry: canaries.body },
          canaries.body,
          { v: 1, type: canaries.body },
        ]),
      );
      await invoke('send', { requestContext: { connectionId: 'c', routeKey: 'message.send' }, body: canaries.body });
      await invoke('repair', {
        Records: [{ eventName: 'INSERT', dynamodb: { NewImage: { id: { N: canaries.body } } } }],
      });
    }
    isDown = false;
    const { parked } = world.app.stream;
    const records = parked.map((record) => JSON.stringify(record));
    expect([logLines().length > 100, records.length > 3, failures.length > 0, urls.length > 10]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    for (const [place, lines] of Object.entries({ log: logLines(), printed, parked: records, failures, urls })) {
      expect({ place, found: canaries.foundIn(lines) }).toEqual({ place, found: [] });
    }
    // The search finds what is there.
    expect(canaries.foundIn([...ben.raw])).not.toEqual([]);
    expect(canaries.foundIn([`bearer.${await world.token(world.newUser())}`])).toHaveLength(1);
    expect(canaries.foundIn([Buffer.from(`x${canaries.title}y`).toString('base64')])).toHaveLength(1);
  } finally {
    stop();
    for (const one of spies) one.mockRestore();
    await world.close();
  }
});
