import fc from 'fast-check';
import type { Services } from '../../lambdas/runtime/services.ts';
import { checkAll, type Seen } from './checks.ts';
import { Misuse, Repeat, Rush, Send, type Command, type Fault } from './commands.ts';
import { Model } from './model.ts';
import { CloseNumbers, Disconnect, GoDeaf, MoveClock, Repair, Resume, SetReceipts, Thaw } from './more-commands.ts';
import { World } from './world.ts';

const COMMANDS_MAX = 30;
/** One call more than a send makes: that one disturbs nothing. */
const CALLS_MAX = 11;
/** Those from taking a number to the first delivery, where the most can go wrong. */
const PERILOUS = { min: 4, max: 7 };

const conversation = fc.constantFrom(0, 1);
const device = fc.nat(5);
const ofUser = fc.constantFrom(0, 1);
const seed = fc.nat(1_000_000);
const part = fc.nat(100).map((percent) => percent / 100);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'none' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reply lost' } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('late', 'freeze'),
      n: fc.oneof(fc.integer(PERILOUS), fc.integer({ min: 1, max: CALLS_MAX })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('crash', 'lose'),
      n: fc.oneof(fc.integer(PERILOUS), fc.integer({ min: 1, max: CALLS_MAX })),
      moment: fc.constantFrom('before', 'after'),
    }),
  },
);

const send = fc.tuple(conversation, fc.nat(2), ofUser, fault).map((args) => new Send(...args));
const repeat = fc.tuple(fc.nat(5), ofUser, fault).map((args) => new Repeat(...args));
const resume = device.map((number) => new Resume(number));
const receipts = fc.array(fc.record({ delivered: part, read: part }), { minLength: 1, maxLength: 3 });

/** What people do most often stands several times. */
const commands: fc.Arbitrary<Command>[] = [
  send,
  send,
  send,
  send,
  repeat,
  repeat,
  resume,
  resume,
  fc.nat(5).map((which) => new Misuse(which)),
  fc.tuple(conversation, fc.integer({ min: 1, max: 3 }), fc.nat(2), seed).map((args) => new Rush(...args)),
  fc.tuple(device, fc.boolean()).map((args) => new Disconnect(...args)),
  device.map((number) => new GoDeaf(number)),
  fc.tuple(conversation, fc.nat(2), receipts, seed).map((args) => new SetReceipts(...args)),
  fc.integer({ min: -60_000, max: 60_000 }).map((ms) => new MoveClock(ms)),
  conversation.map((which) => new CloseNumbers(which)),
  fc.constant(new Repair()),
  fc.constant(new Thaw()),
];

/**
 * Whatever people do and whatever fails: nothing that was said is lost or doubled, all see one order, each number is an entry, void,
 * or open for a reason, receipts only rise, and a repeat gets the original answer.
 */
export function deliveryHolds(plant?: (services: Services) => Services, seen?: Seen) {
  return fc.asyncProperty(fc.commands(commands, { maxCommands: COMMANDS_MAX, size: 'max' }), async (steps) => {
    const world = await World.open(plant);
    const model = new Model();
    await fc.asyncModelRun(() => ({ model, real: world }), steps);
    await checkAll(model, world, seen);
    world.stage.stream.close();
  });
}
