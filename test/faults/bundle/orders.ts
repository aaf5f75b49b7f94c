import type { PlantName } from './plants.ts';

/** The steps of a send, by the call that each makes; `reply` is the answer of the handler. */
export const STEPS = {
  validate: 'directory.readForAppend',
  order: 'directory.takeNumber',
  reserve: 'directory.reserve',
  persist: 'log.insertIfAbsent',
  deliver: 'direct.deliver',
  publish: 'stream.publish',
  mark: 'presence.mark',
  reply: 'reply',
} as const;
export type Step = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as Step[];

/** What functions are told to do wrong. Every process reads it anew with each event. */
export interface Orders {
  /** What the harness calls this state; tokens of one never count for another. */
  readonly id: string;
  /** Whoever comes there first ends as by SIGKILL, or stops as by SIGSTOP; `times` processes do, default 1. */
  readonly crash?: {
    readonly function: string;
    /** `port.method`, or `reply`. */
    readonly at: string;
    /** `during`: the request has left, its answer has not come. */
    readonly when: 'before' | 'during' | 'after';
    readonly signal?: 'SIGKILL' | 'SIGSTOP';
    readonly times?: number;
  };
  /** The first `times` calls fail: `lost` never leave, of `unanswered` ones only the answer is lost. */
  readonly fail?: {
    readonly function: string;
    readonly at: string;
    readonly how: 'lost' | 'unanswered';
    readonly times: number;
  };
  /** Each process has one of these, by its process id: how far its clock is off. */
  readonly clockShiftsMs?: readonly number[];
  /** The functions whose clocks are off; default all. */
  readonly clocksOf?: readonly string[];
  /** A bug, by its name in `plants.ts`. */
  readonly plant?: PlantName;
}

/** Says where the orders lie, in the environment of a function. */
export const ORDERS_DIR = 'PARLEY_FAULTS_DIR';
export const ORDERS_FILE = 'orders.json';
