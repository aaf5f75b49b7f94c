import { LIMITS, utf8Bytes } from '@parley/protocol';
import { createHandler as deliver } from '../../lambdas/deliver.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
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

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('a batch of the stream', () => {
  it('reaches each connection in frames of at most 32 KB, as full as they can be, in order', async () => {
    const text = 'x'.repeat(3_000);
    await scene.handle(
      'conversation-events',
      range(1, 60).map((seq) => scene.recordOf(seq, text)),
    );
    for (const socket of [ana, ben]) {
      expect(seqsAt(socket)).toEqual(range(1, 60));
      const sizes = stage.gateway.framesOf(socket.connectionId).map(utf8Bytes);
      expect(sizes.every((size) => size <= LIMITS.frameMaxBytes)).toBe(true);
      const perFrame = Math.floor(
        LIMITS.frameMaxBytes / (utf8Bytes(JSON.stringify({ type: 'entry', body: scene.entryOf(60, text) })) + 1),
      );
      expect(sizes).toHaveLength(Math.ceil(60 / perFrame));
    }
  });

  it('gives a frame of its own to an event that is larger', async () => {
    const large = '\u0001'.repeat(LIMITS.textMaxBytes);
    await scene.handle('conversation-events', [scene.recordOf(1), scene.recordOf(2, large), scene.recordOf(3)]);
    expect(seqsAt(ben)).toEqual([1, 2, 3]);
    expect(stage.gateway.framesOf(ben.connectionId)).toHaveLength(3);
  });

  it('leaves out the members that were served directly, all of them, and the connection that has the reply', async () => {
    const tablet = await stage.connect('ana', { deviceId: 'tablet' });
    await scene.handle('conversation-events', [
      scene.recordOf(1, 'a', { served: ['ben'], exceptConnectionId: ana.connectionId }),
      scene.recordOf(2, 'b', { served: 'all' }),
      scene.recordOf(3, 'c', { served: ['ana'] }),
    ]);
    expect([seqsAt(ana), seqsAt(tablet), seqsAt(ben)]).toEqual([[], [1], [3]]);
  });

  it('keeps the order of each connection, and waits for no other', async () => {
    let inFlight = 0;
    let together = 0;
    const perConnection = new Map<string, number>();
    const services = replace(stage.services, 'gateway', {
      post: async ({ args, proceed }) => {
        const id = args[0] as string;
        expect(perConnection.get(id) ?? 0).toBe(0);
        perConnection.set(id, 1);
        together = Math.max(together, ++inFlight);
        await new Promise(setImmediate);
        inFlight--;
        perConnection.set(id, 0);
        return proceed();
      },
    });
    await scene.handle(
      'conversation-events',
      range(1, 30).map((seq) => scene.recordOf(seq, 'x'.repeat(3_000))),
      services,
    );
    expect([seqsAt(ana), seqsAt(ben), together]).toEqual([range(1, 30), range(1, 30), 2]);
  });

  it('has at most 64 posts under way at once', async () => {
    const crowd = await Promise.all(Array.from({ length: 150 }, (_, i) => stage.connect(`user${i}`)));
    const large = await stage.group(ana, ...crowd);
    await stage.settled();
    let inFlight = 0;
    let most = 0;
    const services = replace(stage.services, 'gateway', {
      post: async ({ proceed }) => {
        most = Math.max(most, ++inFlight);
        await new Promise(setImmediate);
        inFlight--;
        return proceed();
      },
    });
    stage.gateway.posts.length = 0;
    const ofLarge = { conversation: ana.keyOf(large), entry: { ...scene.entryOf(1), conversationId: large } };
    await scene.handle('conversation-events', [scene.recordOf(1, 'hello', ofLarge)], services);
    expect([stage.gateway.posts.length, most]).toEqual([151, LIMITS.postsInFlightMax]);
  });

  it('costs no post for a member without a connection', async () => {
    await ben.disconnect();
    await scene.handle('conversation-events', [scene.recordOf(1)]);
    expect(stage.gateway.posts.map(({ connectionId }) => connectionId)).toEqual([ana.connectionId]);
  });

  it('does not reach a member who joined later', async () => {
    const services = replace(stage.services, 'directory', {
      members: () =>
        Promise.resolve({
          items: [
            { userId: 'ana', joinedSeq: 0 },
            { userId: 'ben', joinedSeq: 5 },
          ],
        }),
    });
    await scene.handle('conversation-events', [scene.recordOf(5), scene.recordOf(6)], services);
    expect([seqsAt(ana), seqsAt(ben)]).toEqual([[5, 6], [6]]);
  });
});

describe('a record that does not hold together', () => {
  it('is parked, and reaches nobody, while its neighbours do', async () => {
    const good = scene.recordOf(1);
    const { entry } = good as { entry: object };
    await scene.handle('conversation-events', [
      { ...good, conversation: `w2/${scene.group}x` },
      { ...good, entry: { ...entry, conversationId: 'g_other' } },
      { ...good, conversation: scene.group },
      { ...good, served: [7] },
      good,
    ]);
    await scene.handle('signals', [
      {
        v: 1,
        type: 'connections',
        connections: [{ user: ben.user, connectionId: null }],
        event: { type: 'x', body: {} },
      },
      { v: 1, type: 'users', users: [''], event: { type: 'x', body: {} } },
      { v: 1, type: 'close', user: ben.user },
    ]);
    expect([stage.gateway.posts.length, stage.stream.parked.length, stage.gateway.closed]).toEqual([2, 7, []]);
    expect(seqsAt(ben)).toEqual([1]);
  });
});

describe('a connection that does not take its events', () => {
  const connectionsOfBen = async (): Promise<string[]> =>
    ((await stage.directory.connectionsOf([ben.user])).get(ben.user) ?? []).map(({ connectionId }) => connectionId);

  it('is removed when it is gone: just that one, and the others get everything', async () => {
    const tablet = await stage.connect('ben', { deviceId: 'tablet' });
    stage.clock.advance(LIMITS.handshakeMaxMs);
    stage.gateway.answer = (id) => (id === ben.connectionId ? 'gone' : 'sent');
    await scene.handle(
      'conversation-events',
      range(1, 30).map((seq) => scene.recordOf(seq, 'x'.repeat(3_000))),
    );
    expect(await connectionsOfBen()).toEqual([tablet.connectionId]);
    expect([seqsAt(ana), seqsAt(tablet)]).toEqual([range(1, 30), range(1, 30)]);
    expect(stage.gateway.closed).toEqual([]);
  });

  it('keeps its row when it may still be opening, and gets what comes after', async () => {
    const opening = await stage.connect('ben', { deviceId: 'phone' });
    stage.gateway.answer = (id) => (id === opening.connectionId ? 'gone' : 'sent');
    await scene.handle('conversation-events', [scene.recordOf(1)]);
    expect(await connectionsOfBen()).toContain(opening.connectionId);
    stage.gateway.answer = () => 'sent';
    await scene.handle('conversation-events', [scene.recordOf(2)]);
    expect(seqsAt(opening)).toEqual([2]);
  });

  it('gets a throttled post again, and keeps its place when that goes well', async () => {
    let attempts = 0;
    stage.gateway.answer = (id) =>
      id === ben.connectionId && ++attempts < LIMITS.postAttemptsMax ? 'throttled' : 'sent';
    await scene.handle('conversation-events', [scene.recordOf(1)]);
    expect([seqsAt(ben), attempts]).toEqual([[1], LIMITS.postAttemptsMax]);
    expect(await connectionsOfBen()).toEqual([ben.connectionId]);
  });

  it('is closed and removed when it stays throttled, and the others are not kept waiting', async () => {
    let attempts = 0;
    const order: string[] = [];
    stage.gateway.answer = (id) => {
      order.push(id);
      return id === ben.connectionId ? (attempts++, 'throttled') : 'sent';
    };
    await scene.handle('conversation-events', [
      scene.recordOf(1),
      scene.recordOf(2, 'x'.repeat(LIMITS.textMaxBytes)),
      scene.recordOf(3, 'x'.repeat(LIMITS.textMaxBytes)),
    ]);
    expect(seqsAt(ana)).toEqual([1, 2, 3]);
    expect(order.lastIndexOf(ana.connectionId)).toBeLessThan(order.lastIndexOf(ben.connectionId));
    expect([stage.gateway.closed, await connectionsOfBen(), attempts]).toEqual([
      [ben.connectionId],
      [],
      LIMITS.postAttemptsMax,
    ]);
  });

  describe('of which nothing is known', () => {
    const silent = (id: string): 'sent' => {
      if (id === ben.connectionId) throw new Unavailable('no answer');
      return 'sent';
    };

    it('is closed and removed, so that its client comes back for what it has missed, and does not fail the batch', async () => {
      stage.gateway.answer = silent;
      await scene.handle('conversation-events', [scene.recordOf(1)]);
      expect([seqsAt(ana), stage.gateway.closed, await connectionsOfBen()]).toEqual([[1], [ben.connectionId], []]);
    });

    it('stays registered when it cannot be closed either', async () => {
      stage.gateway.answer = silent;
      const services = replace(stage.services, 'gateway', { close: () => Promise.reject(new Unavailable('down')) });
      await scene.handle('conversation-events', [scene.recordOf(1)], services);
      expect([seqsAt(ana), await connectionsOfBen()]).toEqual([[1], [ben.connectionId]]);
    });

    it('is left to the stream by the direct path', async () => {
      stage.gateway.answer = silent;
      const { conversationId } = scene.entryOf(1);
      const request = {
        type: 'direct',
        conversation: ben.keyOf(conversationId),
        entry: scene.entryOf(1),
        memberIds: ['ana', 'ben'],
        exceptConnectionId: '',
      } as const;
      expect(await deliver(stage.services)(request)).toEqual({ served: ['ana'] });
      expect([stage.gateway.closed, await connectionsOfBen()]).toEqual([[], [ben.connectionId]]);
    });
  });

  it('is closed when its posts take so long that a batch would have to wait for it', async () => {
    const services = replace(stage.services, 'gateway', {
      post: async ({ args, proceed }) => {
        if (args[0] === ben.connectionId)
          await new Promise((resolve) => setTimeout(resolve, LIMITS.postConnectionMaxMs / 2 + 50));
        return proceed();
      },
    });
    const large = 'x'.repeat(LIMITS.textMaxBytes);
    await scene.handle(
      'conversation-events',
      range(1, 10).map((seq) => scene.recordOf(seq, large)),
      services,
    );
    expect(seqsAt(ana)).toEqual(range(1, 10));
    expect(seqsAt(ben).length).toBeLessThan(10);
    expect([stage.gateway.closed, await connectionsOfBen()]).toEqual([[ben.connectionId], []]);
  });

  it('fails nobody else when it cannot be removed just now', async () => {
    stage.clock.advance(LIMITS.handshakeMaxMs);
    const services = replace(stage.services, 'directory', {
      removeConnection: () => Promise.reject(new Unavailable('down')),
    });
    stage.gateway.answer = (id) => (id === ben.connectionId ? 'gone' : 'sent');
    await scene.handle('conversation-events', [scene.recordOf(1)], services);
    expect(seqsAt(ana)).toEqual([1]);
  });
});
