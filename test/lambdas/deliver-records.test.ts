import { LIMITS, type ServerEvent } from '@parley/protocol';
import { createHandler as deliver } from '../../lambdas/deliver.ts';
import type { TopicRecords } from '../../lambdas/ports/event-stream/port.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { mskEvent } from './support/events.ts';
import { DeliverScene, seqsAt } from './support/deliver-scene.ts';
import { replace } from './support/intercept.ts';
import type { Socket, Stage } from './support/stage.ts';

let scene: DeliverScene;
let stage: Stage;
let ana: Socket;
let ben: Socket;

beforeEach(async () => {
  scene = await DeliverScene.open();
  ({ stage, ana, ben } = scene);
});

const signal = (event: ServerEvent, ...sockets: Socket[]): TopicRecords['signals'] => ({
  v: 1,
  type: 'connections',
  connections: sockets.map(({ user, connectionId }) => ({ user, connectionId })),
  event,
});

describe('a record that cannot be carried out', () => {
  const SECRET = 'hunter2-secret-value';

  it('is parked with its ids and without any body, and those behind it go on', async () => {
    const poisons: [unknown, object][] = [
      [`no json ${SECRET}`, { code: 'UNKNOWN_VERSION' }],
      [{ ...scene.recordOf(1, SECRET), v: 2 }, { code: 'UNKNOWN_VERSION' }],
      [null, { code: 'UNKNOWN_VERSION' }],
      [
        { ...scene.recordOf(1, SECRET), type: 'party' },
        { id: '1', seq: 1, conversation: ana.keyOf(scene.group) },
      ],
      [{ ...scene.recordOf(1, SECRET), entry: null }, { conversation: ana.keyOf(scene.group) }],
    ];
    for (const [poison, parked] of poisons) {
      stage.gateway.posts.length = 0;
      stage.stream.parked.length = 0;
      await scene.handle('conversation-events', [scene.recordOf(7), poison, scene.recordOf(8)]);
      expect(seqsAt(ben)).toEqual([7, 8]);
      expect(stage.stream.parked).toEqual([
        { topic: 'conversation-events', partition: 0, offset: 1, code: expect.any(String) as string, ...parked },
      ]);
      expect(JSON.stringify(stage.stream.parked)).not.toContain(SECRET);
    }
  });

  it('also when it stands under the key of another conversation: who could write there may not write here', async () => {
    const event = mskEvent('conversation-events', [scene.recordOf(1, SECRET), scene.recordOf(2)]);
    const [forged] = Object.values(event.records)[0]!;
    for (const key of [Buffer.from('w-other/g_x').toString('base64'), '', undefined]) {
      stage.gateway.posts.length = 0;
      stage.stream.parked.length = 0;
      Object.assign(forged!, { key });
      await deliver(stage.services)(event);
      expect(seqsAt(ben)).toEqual([2]);
      expect(stage.stream.parked).toMatchObject([{ offset: 0, code: 'WRONG_KEY' }]);
    }
  });

  it('of the signals too, and of a topic that nobody knows', async () => {
    const event: ServerEvent = { type: 'presence', body: { userId: 'ana', state: 'online' } };
    await scene.handle('signals', [{ v: 1, type: 'party' }, signal(event, ben)]);
    await scene.handle('elsewhere', [signal(event, ben)]);
    expect(stage.stream.parked.map(({ topic, offset }) => [topic, offset])).toEqual([
      ['signals', 0],
      ['elsewhere', 0],
    ]);
    expect(ben.events).toEqual([event]);
  });

  it('for want of a store is tried again, and parked when that does not help', async () => {
    let reads = 0;
    const failing = (failures: number) =>
      replace(stage.services, 'directory', {
        members: ({ proceed }) => (++reads <= failures ? Promise.reject(new Unavailable('down')) : proceed()),
      });
    await scene.handle(
      'conversation-events',
      [scene.recordOf(1), scene.recordOf(2)],
      failing(LIMITS.recordAttemptsMax - 1),
    );
    expect([seqsAt(ben), stage.stream.parked]).toEqual([[1, 2], []]);
    reads = 0;
    await scene.handle(
      'conversation-events',
      [scene.recordOf(3), scene.recordOf(4)],
      failing(LIMITS.recordAttemptsMax),
    );
    expect(seqsAt(ben)).toEqual([1, 2, 4]);
    expect(stage.stream.parked).toEqual([
      {
        topic: 'conversation-events',
        partition: 0,
        offset: 0,
        conversation: ana.keyOf(scene.group),
        id: '3',
        seq: 3,
        code: 'UNAVAILABLE',
      },
    ]);
  });

  it('is not lost when it cannot even be parked: the batch comes again', async () => {
    const services = replace(stage.services, 'stream', { park: () => Promise.reject(new Unavailable('down')) });
    await expect(scene.handle('conversation-events', ['poison'], services)).rejects.toThrow(Unavailable);
  });
});

describe('the other records', () => {
  it('of signals go to the named connections, and to all those of the named users', async () => {
    const tablet = await stage.connect('ben', { deviceId: 'tablet' });
    const body = { conversationId: scene.group, userId: 'ana', typing: true, expiresAtMs: 1 };
    const typing: ServerEvent = { type: 'typing', body };
    await scene.handle('signals', [
      { v: 1, type: 'users', users: [ben.user], event: typing },
      signal({ type: 'presence', body: { userId: 'ana', state: 'online' } }, tablet),
    ]);
    expect([ben, tablet, ana].map((socket) => socket.events.map(({ type }) => type))).toEqual([
      ['typing'],
      ['typing', 'presence'],
      [],
    ]);
    expect(stage.gateway.framesOf(tablet.connectionId)).toHaveLength(1);
  });

  it('close a socket when they say so', async () => {
    await scene.handle('signals', [{ v: 1, type: 'close', user: ben.user, connectionId: ben.connectionId }]);
    expect(stage.gateway.closed).toEqual([ben.connectionId]);
  });
});

describe('the direct way', () => {
  const direct = (services = stage.services, memberIds = ['ana', 'ben', 'cleo']) =>
    deliver(services)({
      type: 'direct',
      conversation: ana.keyOf(scene.group),
      entry: scene.entryOf(1),
      memberIds,
      exceptConnectionId: ana.connectionId,
    });

  it('serves those who are there, and counts those who are not as served: nothing can reach them', async () => {
    expect(await direct()).toEqual({ served: ['ana', 'ben', 'cleo'] });
    expect([seqsAt(ana), seqsAt(ben)]).toEqual([[], [1]]);
  });

  it('leaves to the stream whoever may have missed it', async () => {
    const tablet = await stage.connect('ben', { deviceId: 'tablet' });
    stage.gateway.answer = (id) => {
      if (id === tablet.connectionId) throw new Unavailable('no answer');
      return 'sent';
    };
    expect(await direct()).toEqual({ served: ['ana', 'cleo'] });
  });
});
