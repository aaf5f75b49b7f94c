import { divergence } from './divergence.ts';
import { duplicate } from './duplicate.ts';
import type { Checker } from './finding.ts';
import { gap } from './gap.ts';
import { late } from './late.ts';
import { leak } from './leak.ts';
import { lost } from './lost.ts';
import { order } from './order.ts';
import { phantom } from './phantom.ts';
import { receiptRegress } from './receipt-regress.ts';
import { resurrection } from './resurrection.ts';

/** All that is looked for in every history. */
export const CHECKERS = {
  lost,
  phantom,
  duplicate,
  order,
  gap,
  late: late(),
  divergence,
  leak,
  'receipt-regress': receiptRegress,
  resurrection,
} as const satisfies Record<string, Checker>;

export type CheckerName = keyof typeof CHECKERS;
export const CHECKER_NAMES = Object.keys(CHECKERS) as CheckerName[];
