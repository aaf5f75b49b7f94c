import { ACTION_NAMES, type ActionName, type ReplyFrame } from '@parley/protocol';
import type { Services } from '../../lambdas/runtime/services.ts';
import { spy, type PortCall } from './support/intercept.ts';
import { ID_FIELDS, TRESPASSERS, TrespassScene, type IdField, type Trespasser } from './support/trespass.ts';

/** What may be asked of a conversation before it is known whether the caller is a member of it. */
const BEFORE_AUTHORIZATION = new Set([
  'directory.membership',
  'directory.memberships',
  'directory.readForAppend',
  // Decides only whether the directory is asked.
  'presence.heads',
]);

/** Asks for what is not there, then for what is somebody else's. */
async function trespass(scene: TrespassScene, field: IdField, who: Trespasser) {
  const { action, kind } = field;
  const ask = ({ socket }: TrespassScene, body: object, services?: Services): Promise<string> =>
    socket.raw(JSON.stringify({ action, id: '17', body }), services);
  // A request with a new key is carried out, so that it would leave nothing to do for the other one.
  const apart = kind === 'clientKey' ? await TrespassScene.open(who) : scene;
  const unknown = (await ask(apart, apart.badBody(field, 'unknown'))).replaceAll(apart.named(kind, 'unknown'), 'NAMED');
  await scene.stage.settled();
  const { services, calls } = spy(scene.stage.services);
  const before = scene.stored();
  const raw = await ask(scene, scene.badBody(field, 'foreign'), services);
  await scene.stage.settled();
  const foreign = raw.replaceAll(scene.named(kind, 'foreign'), 'NAMED');
  return { unknown, foreign, calls, before, after: scene.stored() };
}

const nameOf = ({ port, method }: PortCall): string => `${port}.${method}`;

/** A key of another is not known to be one: the request is carried out, so the numbers of the two replies differ. */
const shapeOf = (raw: string): string => raw.replace(/"(?:id|conversationId)":"[^"]*"|"(?:seq|headSeq)":\d+/g, '*');

const cases = ID_FIELDS.flatMap((field) =>
  TRESPASSERS.map((who) => [field.action, field.path.join('.'), who, field] as const),
);

describe('an id of others', () => {
  it('is tried in every field of every action that can name one', () => {
    const tried = new Set(ID_FIELDS.map(({ action }) => action));
    const naming = ACTION_NAMES.filter((action) => !['session.end', 'presence.unwatch'].includes(action));
    expect([...tried].sort()).toEqual([...naming].sort());
    expect(ID_FIELDS.length).toBeGreaterThanOrEqual(24);
    expect(cases).toHaveLength(ID_FIELDS.length * TRESPASSERS.length);
  });

  it.each(cases)('%s: %s of a %s is answered like one that never was', async (_action, _path, who, field) => {
    const scene = await TrespassScene.open(who);
    const { unknown, foreign, calls, before, after } = await trespass(scene, field, who);
    const frame = JSON.parse(foreign) as ReplyFrame;
    if (field.kind === 'clientKey') expect([shapeOf(foreign), frame.ok]).toEqual([shapeOf(unknown), true]);
    else expect(foreign).toBe(unknown);
    expect(foreign).not.toContain('secret');
    if (!frame.ok) expect(after).toBe(before);
    if (field.kind === 'conversation') expect(frame).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });

    const { workspaceId, userId } = scene.socket;
    const other = workspaceId === 'w1' ? 'w2' : 'w1';
    const asked = calls.map((call) => ({ name: nameOf(call), args: JSON.stringify(call.args) }));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ args }) => args.includes(`${other}/`) || args.includes(`"${other}"`))).toEqual([]);
    const touching = asked.filter(({ args }) => args.includes(`/${scene.foreign.conversation}`));
    expect(touching.filter(({ name }) => !BEFORE_AUTHORIZATION.has(name))).toEqual([]);
    // Only what it needs to see that this very user is no member.
    for (const { name, args } of touching) {
      if (name.startsWith('directory.')) expect(args).toContain(userId);
    }
  });
});

describe('the requests that are tried', () => {
  it.each(ACTION_NAMES.flatMap((action) => TRESPASSERS.map((who): [ActionName, Trespasser] => [action, who])))(
    '%s of a %s is good where all that it names is their own',
    async (action, who) => {
      const scene = await TrespassScene.open(who);
      expect(await scene.socket.request(action, scene.goodBody(action))).toEqual(expect.objectContaining({ ok: true }));
    },
  );
});
