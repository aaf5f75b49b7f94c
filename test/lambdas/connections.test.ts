import { LIMITS } from '@parley/protocol';
import { createHandler as connect } from '../../lambdas/connect.ts';
import { createHandler as disconnect } from '../../lambdas/disconnect.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { connectEvent, disconnectEvent } from './support/events.ts';
import { replace, spy } from './support/intercept.ts';
import { Socket, Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const registered = async (socket: Socket): Promise<string[]> =>
  ((await stage.directory.connectionsOf([socket.user])).get(socket.user) ?? []).map(({ connectionId }) => connectionId);

describe('$connect', () => {
  it('registers the connection until its token or its socket ends, and answers the sub-protocol', async () => {
    const expiresAtMs = stage.clock.now() + 60_000;
    const [long, short] = [new Socket(stage, 'ana', {}), new Socket(stage, 'ana', { expiresAtMs })];
    for (const socket of [long, short]) {
      expect(await connect(stage.services)(connectEvent(socket))).toEqual({
        statusCode: 200,
        headers: { 'Sec-WebSocket-Protocol': 'parley.v1' },
      });
    }
    const [first, second] = (await stage.directory.connectionsOf([long.user])).get(long.user)!;
    expect(first).toMatchObject({ deviceId: 'phone', expiresAtMs: long.connectedAt + LIMITS.socketMaxMs });
    expect(second).toMatchObject({ connectionId: short.connectionId, expiresAtMs });
  });

  it('makes the user known to the workspace, with the name of the token where it is fit to be shown', async () => {
    const named = new Socket(stage, 'ana', {});
    const authorizer = { ...named.authorizer, name: 'Ana' };
    await connect(stage.services)(connectEvent({ connectionId: 'c1', connectedAt: 1, authorizer }));
    const bad = { ...named.authorizer, userId: 'ben', name: '\u202eevil' };
    await connect(stage.services)(connectEvent({ connectionId: 'c2', connectedAt: 1, authorizer: bad }));
    expect((await stage.directory.workspaceMembers('w1', undefined, 9)).items).toEqual([
      { userId: 'ana', name: 'Ana' },
      { userId: 'ben' },
    ]);
  });

  it('refuses whoever does not speak parley.v1, is suspended, or has no context', async () => {
    const ana = await stage.connect('ana');
    const status = async (event: unknown) => (await connect(stage.services)(event)).statusCode;
    expect(await status(connectEvent(ana, 'bearer.x.y.z'))).toBe(400);
    expect(await status(connectEvent(ana, 'parley.v2, bearer.x.y.z'))).toBe(400);
    expect(await status(connectEvent({ connectionId: 'x', connectedAt: 1, authorizer: {} }))).toBe(401);
    expect(await status({})).toBe(400);
    for (const state of ['suspended', 'deleted'] as const) {
      await stage.directory.setUserState(ana.user, state);
      expect(await status(connectEvent(new Socket(stage, 'ana', {})))).toBe(403);
    }
    expect(await registered(ana)).toEqual([ana.connectionId]);
  });

  it('finds the sub-protocol in any spelling of the header, and in several of them', async () => {
    const ana = new Socket(stage, 'ana', {});
    const event = connectEvent(ana);
    for (const multiValueHeaders of [
      { 'sec-websocket-protocol': ['bearer.x.y.z,parley.v1'] },
      { 'SEC-WEBSOCKET-PROTOCOL': ['bearer.x.y.z', 'parley.v1'] },
    ]) {
      expect(await connect(stage.services)({ ...event, headers: {}, multiValueHeaders })).toMatchObject({
        statusCode: 200,
      });
    }
  });

  it('evicts the oldest beyond ten connections of a user, and nobody else', async () => {
    const ben = await stage.connect('ben');
    const namesake = await stage.connect('ana', { workspaceId: 'w2' });
    const sockets: Socket[] = [];
    for (let i = 0; i < 12; i++) {
      stage.clock.advance(LIMITS.handshakeMaxMs);
      sockets.push(await stage.connect('ana', { deviceId: `d${i}` }));
    }
    const ids = sockets.map(({ connectionId }) => connectionId);
    expect(await registered(sockets[0]!)).toEqual(ids.slice(2));
    expect(stage.gateway.closed).toEqual(ids.slice(0, 2));
    expect([await registered(ben), await registered(namesake)]).toEqual([[ben.connectionId], [namesake.connectionId]]);
    expect(await sockets[0]!.refused('message.send', {})).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('never evicts the connection that it lets in, not even when the clocks of the gateway differ', async () => {
    for (let i = 0; i < LIMITS.connectionsPerUserMax; i++) await stage.connect('ana', { deviceId: `d${i}` });
    stage.clock.advance(-60_000);
    const late = await stage.connect('ana');
    expect(await registered(late)).toContain(late.connectionId);
    expect(await registered(late)).toHaveLength(LIMITS.connectionsPerUserMax);
  });

  it('closes an evicted socket again that may have been opening, and refuses one that was itself evicted meanwhile', async () => {
    const [first] = await Promise.all(
      Array.from({ length: LIMITS.connectionsPerUserMax }, (_, i) => stage.connect('ana', { deviceId: `d${i}` })),
    );
    const late = new Socket(stage, 'ana', {});
    const services = replace(stage.services, 'gateway', {
      close: async ({ proceed }) => {
        await stage.directory.removeConnection(late.user, late.connectionId);
        return proceed();
      },
    });
    expect(await connect(services)(connectEvent(late))).toEqual({ statusCode: 429 });
    expect(stage.gateway.closed).toEqual([first!.connectionId, first!.connectionId]);
  });

  it('lets in even when the evicted socket cannot be closed', async () => {
    const services = replace(stage.services, 'gateway', { close: () => Promise.reject(new Unavailable('down')) });
    for (let i = 0; i < LIMITS.connectionsPerUserMax; i++) await stage.connect('ana');
    const late = new Socket(stage, 'ana', {});
    expect(await connect(services)(connectEvent(late))).toMatchObject({ statusCode: 200 });
    expect(await registered(late)).toHaveLength(LIMITS.connectionsPerUserMax);
  });

  it('lets nobody in whom it could not register', async () => {
    const services = replace(stage.services, 'directory', {
      addConnection: () => Promise.reject(new Unavailable('down')),
    });
    await expect(connect(services)(connectEvent(new Socket(stage, 'ana', {})))).rejects.toThrow(Unavailable);
  });
});

describe('$disconnect', () => {
  it('of an old connection leaves the new one, however late it comes and however often', async () => {
    const old = await stage.connect('ana');
    const young = await stage.connect('ana');
    for (let i = 0; i < 2; i++) {
      expect(await disconnect(stage.services)(disconnectEvent(old))).toEqual({ statusCode: 200 });
    }
    expect(await registered(old)).toEqual([young.connectionId]);
    await young.disconnect();
    expect(await registered(old)).toEqual([]);
  });

  it('does not touch presence, which ends by itself', async () => {
    const [ana, ben] = [await stage.connect('ana'), await stage.connect('ben')];
    await ben.ok('heartbeat', {});
    const { services, calls } = spy(stage.services);
    await disconnect(services)(disconnectEvent(ben));
    expect(calls.map(({ port, method }) => `${port}.${method}`)).toEqual(['directory.removeConnection']);
    expect((await ana.ok('presence.watch', { userIds: ['ben'] })).presence).toMatchObject([{ state: 'online' }]);
  });

  it('of a connection without context does nothing', async () => {
    const { services, calls } = spy(stage.services);
    const event = disconnectEvent({ connectionId: 'c', connectedAt: 1, authorizer: {} });
    expect(await disconnect(services)(event)).toEqual({ statusCode: 200 });
    expect(await disconnect(services)(undefined)).toEqual({ statusCode: 400 });
    expect(calls).toEqual([]);
  });
});
