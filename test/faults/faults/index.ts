import type { Fault } from './fault.ts';
import { R02 } from './r-02.ts';
import { R03 } from './r-03.ts';
import { R06, R06_ALONE, R06_TOLD } from './r-06.ts';
import { R07 } from './r-07.ts';
import { R08 } from './r-08.ts';
import { R09 } from './r-09.ts';
import { R10 } from './r-10.ts';
import { R13 } from './r-13.ts';
import { R16, R16_REFUSED } from './r-16.ts';
import { R18 } from './r-18.ts';
import { R20 } from './r-20.ts';

/** What CI runs, with a seed that stays. */
export const CI_SLICE: readonly Fault[] = [
  R02,
  R03,
  R06,
  R06_ALONE,
  R06_TOLD,
  R07,
  R08,
  R09,
  R10,
  R13,
  R16_REFUSED,
  R18,
  R20,
];

export const FAULTS: readonly Fault[] = [...CI_SLICE, ...R16].sort((a, b) => a.id.localeCompare(b.id));
