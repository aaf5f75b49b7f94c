import { ACTION_NAMES, ERRORS, type ActionName, type ErrorCode } from '@parley/protocol';
import * as fc from 'fast-check';
import { watchCrashes } from './support/crashes.ts';
import { SAMPLES } from './support/samples.ts';
import { announceSeed, mutated, mutations } from './support/seed.ts';
import { changed, fieldsOf } from './support/schema-walk.ts';
import { withTake } from './support/with-take.ts';
import { frameOf } from './support/wire.ts';
import { World, type Scene } from './support/world.ts';

/** What may be said to a frame that is only malformed: anything else would be a failure of the server. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_JSON',
  'INVALID_FRAME',
  'VALIDATION_FAILED',
  'UNKNOWN_ACTION',
  'PAYLOAD_TOO_LARGE',
  'NOT_FOUND',
  'CONFLICT',
  'INVALID_CURSOR',
]);
const RUNS = 600;
const seed = announceSeed('fuzz of frames');

jest.setTimeout(120_000);

let world: World;
let scene: Scene;
const { crashes, stop } = watchCrashes();
beforeAll(async () => {
  world = await World.start(withTake(() => Promise.resolve({ allowed: true, retryAfterMs: 0 })));
  scene = await world.scene();
});
afterAll(async () => {
  await world.close();
  stop();
  expect(crashes).toEqual([]);
});

/** A good frame of an action with one field, or all of the body, replaced by some JSON. */
function spoiled(action: ActionName, at: number, value: unknown): string {
  const body: object = SAMPLES[action](scene);
  const paths = [[], ...fieldsOf(action, body).map(({ path }) => path)];
  const path = paths[at % paths.length] ?? [];
  return frameOf(action, path.length === 0 ? value : changed(body, path, value));
}

it('answers every frame, whatever it holds, with one reply that the protocol knows', async () => {
  const seen = new Set<string>();
  const frames = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }).filter((text) => text.isWellFormed()),
    fc.json(),
    fc
      .tuple(fc.constantFrom(...ACTION_NAMES), mutations)
      .map(([action, changes]) => mutated(frameOf(action, SAMPLES[action](scene)), changes))
      // What cannot be in a text frame is a matter of framing.test.ts; an empty one is answered there, too.
      .filter((text) => text !== ''),
    fc
      .tuple(fc.constantFrom(...ACTION_NAMES), fc.nat(), fc.jsonValue({ maxDepth: 4 }))
      .map(([action, at, value]) => ({ action, at, value })),
  );
  await fc.assert(
    fc.asyncProperty(frames, async (frame) => {
      const text = typeof frame === 'string' ? frame : spoiled(frame.action, frame.at, frame.value);
      const { frame: reply } = await scene.owner.ask(text);
      if (reply.ok) {
        seen.add('ok');
        return;
      }
      const code = reply.error?.code ?? 'INTERNAL';
      seen.add(code);
      expect(Object.keys(ERRORS)).toContain(code);
      expect({ text, code, isRefusal: REFUSALS.has(code) }).toEqual({ text, code, isRefusal: true });
    }),
    { seed, numRuns: RUNS },
  );
  expect([...seen]).toEqual(expect.arrayContaining(['ok', 'INVALID_JSON', 'INVALID_FRAME', 'VALIDATION_FAILED']));
  expect(scene.owner.answers.length).toBeGreaterThanOrEqual(RUNS);
  await scene.owner.call('heartbeat', {});
});
