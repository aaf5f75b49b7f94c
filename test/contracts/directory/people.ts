import type { Connection } from '../../../lambdas/ports/directory/port.ts';
import type { UserKey } from '../../../lambdas/runtime/keys.ts';
import { times, TTL_MS, unique } from '../contract.ts';
import { Workspace, type DirectoryContext } from './context.ts';
import { allPages } from './conversations.ts';

export function peopleTests(at: DirectoryContext): void {
  let workspace: Workspace;
  let ana: UserKey;
  let ben: UserKey;

  beforeEach(() => {
    workspace = new Workspace(at);
    [ana, ben] = [workspace.user('ana'), workspace.user('ben')];
  });

  describe('connections', () => {
    const connectionOf = (lifeMs = 3_600_000, connectionId = `${unique()}=`): Connection => ({
      connectionId,
      deviceId: 'phone',
      connectedAtMs: at.clock.now(),
      expiresAtMs: at.clock.now() + lifeMs,
    });
    const sorted = (connections: readonly Connection[] = []): Connection[] =>
      [...connections].sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));
    const of = async (user: UserKey): Promise<Connection[]> => sorted((await at.port.connectionsOf([user])).get(user));

    it('are registered one beside the other, and each answer names them all', async () => {
      const [first, second] = [connectionOf(), connectionOf()];
      expect(await at.port.addConnection(ana, first)).toEqual([first]);
      expect(sorted(await at.port.addConnection(ana, second))).toEqual(sorted([first, second]));
      expect(await of(ana)).toEqual(sorted([first, second]));
    });

    it('are removed one by one: an old one leaves the others, however often', async () => {
      const [old, young] = [connectionOf(), connectionOf()];
      for (const connection of [old, young]) await at.port.addConnection(ana, connection);
      for (let i = 0; i < 2; i++) await at.port.removeConnection(ana, old.connectionId);
      expect(await of(ana)).toEqual([young]);
      await at.port.removeConnection(ana, unique());
      await at.port.removeConnection(ben, young.connectionId);
      expect(await of(ana)).toEqual([young]);
      await at.port.removeConnection(ana, young.connectionId);
      expect((await at.port.connectionsOf([ana])).size).toBe(0);
      await at.port.removeConnection(workspace.user('nobody'), unique());
    });

    it('that come and go at the same moment leave just those that stay', async () => {
      const [staying, going] = [times(10, () => connectionOf()), times(10, () => connectionOf())];
      for (const connection of going) await at.port.addConnection(ana, connection);
      await Promise.all([
        ...staying.map((connection) => at.port.addConnection(ana, connection)),
        ...going.map(({ connectionId }) => at.port.removeConnection(ana, connectionId)),
      ]);
      expect(await of(ana)).toEqual(sorted(staying));
    });

    it('may have any id that API Gateway gives', async () => {
      const ids = ['L0SM9cOFvHcCIhw=', 'a.b-c_d', '$connect', 'name', 'size', 'x'.repeat(64)];
      for (const id of ids) await at.port.addConnection(ana, connectionOf(3_600_000, id));
      expect((await of(ana)).map(({ connectionId }) => connectionId)).toEqual([...ids].sort());
      await at.port.removeConnection(ana, '$connect');
      expect(await of(ana)).toHaveLength(ids.length - 1);
    });

    it('of up to 500 users are read at once; users without one are left out', async () => {
      const users = times(500, (i) => workspace.user(`user${i}`));
      const some = users.filter((_, i) => i % 50 === 7);
      const connections = new Map(some.map((user) => [user, [connectionOf()]]));
      for (const [user, [connection]] of connections) await at.port.addConnection(user, connection!);
      const found = await at.port.connectionsOf(users);
      expect(new Map([...found].map(([user, theirs]) => [user, [...theirs]]))).toEqual(connections);
      expect(await at.port.connectionsOf([])).toEqual(new Map());
    });

    it('are none any more once they have ended', async () => {
      const [short, long] = [connectionOf(TTL_MS), connectionOf()];
      for (const connection of [short, long]) await at.port.addConnection(ana, connection);
      expect(await of(ana)).toEqual(sorted([short, long]));
      await at.clock.pass(TTL_MS);
      expect(await of(ana)).toEqual([long]);
      const third = connectionOf();
      expect(sorted(await at.port.addConnection(ana, third))).toEqual(sorted([long, third]));
    });

    it('of the same user in two workspaces never meet', async () => {
      const there = new Workspace(at).user('ana');
      const connection = connectionOf();
      await at.port.addConnection(there, connection);
      expect(await of(ana)).toEqual([]);
      await at.port.removeConnection(ana, connection.connectionId);
      expect(await of(there)).toEqual([connection]);
    });
  });

  describe('users', () => {
    const listed = async (): Promise<object[]> => [
      ...(await at.port.workspaceMembers(workspace.workspaceId, undefined, 100)).items,
    ];

    it('become members of their workspace, with the latest name that was given', async () => {
      expect(await at.port.admitUser(ana, undefined)).toBe('active');
      expect(await listed()).toEqual([{ userId: 'ana' }]);
      await at.port.admitUser(ana, 'Ana');
      await at.port.admitUser(ana, undefined);
      expect(await listed()).toEqual([{ userId: 'ana', name: 'Ana' }]);
      await at.port.admitUser(ana, 'Ana\u0301 \u{1F375}');
      expect(await listed()).toEqual([{ userId: 'ana', name: 'Ana\u0301 \u{1F375}' }]);
    });

    it('are not admitted, renamed or listed while suspended or deleted', async () => {
      for (const state of ['suspended', 'deleted'] as const) {
        await at.port.admitUser(ben, 'Ben');
        await at.port.setUserState(ben, state);
        expect(await at.port.admitUser(ben, 'Benny')).toBe(state);
        expect(await listed()).toEqual([]);
        expect((await at.port.activeUsers([ben])).size).toBe(0);
        await at.port.setUserState(ben, 'active');
        expect(await listed()).toEqual([{ userId: 'ben', name: 'Ben' }]);
      }
    });

    it('may be suspended before they first come', async () => {
      await at.port.setUserState(ana, 'suspended');
      expect(await at.port.admitUser(ana, 'Ana')).toBe('suspended');
    });

    it('are active or not, for up to 500 at once', async () => {
      const users = times(500, (i) => workspace.user(`user${i}`));
      const some = users.filter((_, i) => i % 100 === 42);
      for (const user of some) await at.port.admitUser(user, undefined);
      await at.port.setUserState(some[0]!, 'suspended');
      expect(await at.port.activeUsers(users)).toEqual(new Set(some.slice(1)));
      expect(await at.port.activeUsers([])).toEqual(new Set());
    });

    it('of a workspace are listed in the order of their ids, each once, whatever the page', async () => {
      const ids = times(23, (i) => `user${i}`);
      await Promise.all(ids.map((id) => at.port.admitUser(workspace.user(id), undefined)));
      await at.port.setUserState(workspace.user('user7'), 'deleted');
      const expected = ids.filter((id) => id !== 'user7').sort();
      for (const limit of [1, 5, 22, 100]) {
        const all = await allPages(limit, (after, n) => at.port.workspaceMembers(workspace.workspaceId, after, n));
        expect(all.map(({ userId }) => userId)).toEqual(expected);
      }
    });

    it('of two workspaces never meet', async () => {
      const there = new Workspace(at);
      await at.port.admitUser(there.user('ana'), 'Ana');
      expect(await listed()).toEqual([]);
      expect(await at.port.activeUsers([ana, there.user('ana')])).toEqual(new Set([there.user('ana')]));
      await at.port.setUserState(there.user('ana'), 'suspended');
      expect(await at.port.admitUser(ana, undefined)).toBe('active');
    });
  });
}
