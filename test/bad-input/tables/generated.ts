import { ACTION_NAMES, entryId, type ActionName, type ErrorCode } from '@parley/protocol';
import { expectRefused, type BadFrame, type Case, type Given, type Table } from '../support/refusals.ts';
import { SAMPLES } from '../support/samples.ts';
import { changed, fieldsOf, jsonWithMember, jsonWithRaw, objectsIn, type Field } from '../support/schema-walk.ts';
import { until } from '../support/until.ts';
import { frameOf } from '../support/wire.ts';
import type { Scene } from '../support/world.ts';

interface Sample {
  readonly body: object;
  readonly fields: readonly Field[];
}

/** Enough of a scene to see which actions have anything to try. */
const SHAPE = {
  owner: { user: { userId: 'ana' } },
  other: { user: { userId: 'ben' } },
  outsider: { userId: 'cleo' },
  conversationId: 'g_1',
  epoch: 1,
  message: { conversationId: 'g_1', id: '5', seq: 1, sentAtMs: 1 },
} as unknown as Scene;

function sampleOf(action: ActionName, scene = SHAPE): Sample {
  const body = SAMPLES[action](scene);
  return { body, fields: fieldsOf(action, body) };
}

/** A case for each action that has bad frames: the good one is accepted, each of the bad ones is refused. */
function forEachAction(
  code: ErrorCode,
  badFramesOf: (action: ActionName, sample: Sample) => readonly BadFrame[],
): Record<string, Case> {
  const withAny = ACTION_NAMES.filter((action) => badFramesOf(action, sampleOf(action)).length > 0);
  return Object.fromEntries(
    withAny.map((action) => [
      action,
      async (given: Given) => {
        const scene = await given.world.scene();
        const sample = sampleOf(action, scene);
        const good = await scene.owner.ask(frameOf(action, sample.body));
        expect({ action, ...good.frame }).toMatchObject({ action, ok: true });
        for (const bad of badFramesOf(action, sample)) await expectRefused(given, scene.owner, code, bad);
      },
    ]),
  );
}

/** The frames in which one field that `isMeant` has one of the values in its place, written as JSON. */
function withEach(isMeant: (field: Field) => boolean, values: readonly string[]) {
  return (action: ActionName, { body, fields }: Sample): BadFrame[] =>
    fields.filter(isMeant).flatMap(({ path }) =>
      values.map((value) => ({
        text: jsonWithRaw(JSON.parse(frameOf(action, body)), ['body', ...path], value),
        secrets: [value.replaceAll('"', '')],
        label: `${action} with ${path.join('.')} = ${value}`,
      })),
    );
}

const isId = ({ schema }: Field): boolean => schema === entryId;
const isNumber = ({ schema }: Field): boolean => schema.type === 'number';
const isText = ({ schema }: Field): boolean => ['string', 'picklist', 'literal'].includes(schema.type);

const PROTOTYPE_MEMBERS = [
  '"__proto__":{"polluted":true}',
  '"constructor":{"prototype":{"polluted":true}}',
  '"prototype":{"polluted":true}',
  '"\\u005f_proto__":{"polluted":true}',
];

/** Objects whose keys are fields, not ids that the caller chooses. */
function levelsOf({ body, fields }: Sample): string[][] {
  const records = fields.filter(({ schema }) => schema.type === 'record').map(({ path }) => path.join('.'));
  const inBody = objectsIn(body).filter((path) => !records.includes(path.join('.')));
  return [[], ...inBody.map((path) => ['body', ...path])];
}

const unknownPropertyIgnored =
  (action: ActionName): Case =>
  async ({ world }) => {
    const scene = await world.scene();
    const { owner, other, conversationId } = scene;
    for (const i of levelsOf(sampleOf(action, scene)).keys()) {
      // What can be done once only is done in a scene of its own.
      const fresh = await world.scene();
      const level = levelsOf(sampleOf(action, fresh))[i] ?? [];
      const frame: unknown = JSON.parse(frameOf(action, SAMPLES[action](fresh)));
      const answer = await fresh.owner.ask(jsonWithMember(frame, level, '"zzz":{"zzz":1}'));
      expect({ level, ...answer.frame }).toMatchObject({ level, ok: true });
      expect(answer.raw).not.toContain('zzz');
      await world.app.stream.idle();
      expect([...fresh.owner.raw, ...fresh.other.raw].filter((text) => text.includes('zzz'))).toEqual([]);
    }
    const { id } = await world.say(owner, conversationId, 'after all the others');
    await world.app.stream.idle();
    await until(() => other.raw.some((frame) => frame.includes(id)), 'the last message has arrived');
    expect([...owner.raw, ...other.raw].filter((frame) => frame.includes('zzz'))).toEqual([]);
    expect(world.portCalls.filter(({ args }) => JSON.stringify(args).includes('zzz'))).toEqual([]);
    expect(world.portCalls.length).toBeGreaterThan(0);
  };

export const GENERATED: Table = {
  'value-missing-required': forEachAction('VALIDATION_FAILED', (action, { body, fields }) =>
    fields
      .filter(({ required }) => required)
      .map(({ path }) => ({
        text: frameOf(action, changed(body, path, undefined)),
        label: `${action} without ${path.join('.')}`,
      })),
  ),
  'value-unknown-property': Object.fromEntries(ACTION_NAMES.map((action) => [action, unknownPropertyIgnored(action)])),
  'value-prototype-keys': Object.fromEntries(
    Object.entries(
      forEachAction('VALIDATION_FAILED', (action, { body }) => {
        const frame = JSON.parse(frameOf(action, body)) as object;
        return objectsIn(frame).flatMap((level) =>
          PROTOTYPE_MEMBERS.map((member) => ({
            text: jsonWithMember(frame, level, member),
            secrets: ['polluted'],
            label: `${action} with ${member} in ${level.join('.') || 'the frame'}`,
          })),
        );
      }),
    ).map(([action, run]): [string, Case] => [
      action,
      async (given) => {
        await run(given);
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      },
    ]),
  ),
  'value-id-not-canonical': forEachAction(
    'VALIDATION_FAILED',
    withEach(isId, ['""', '" 12 "', '"0x10"', '"1e3"', '"-1"', '"+1"', '"01"', '"١٢"', '12', 'null']),
  ),
  'value-id-out-of-range': forEachAction(
    'VALIDATION_FAILED',
    withEach(isId, ['"9223372036854775808"', '"18446744073709551616"', `"${'9'.repeat(30)}"`]),
  ),
  'value-number-range': forEachAction(
    'VALIDATION_FAILED',
    withEach(isNumber, ['1e400', '-1e400', '-0', '1.5', '-1', '9007199254740992', '"7"', 'null']),
  ),
  'value-nul': forEachAction('VALIDATION_FAILED', withEach(isText, ['"\\u0000"', '"ana\\u0000canary-9e01"'])),
};
