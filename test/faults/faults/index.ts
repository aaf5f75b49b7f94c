import { R24 } from './r-24.ts';
import { R25 } from './r-25.ts';
import { R29 } from './r-29.ts';
import { R26 } from './r-26.ts';
import { R23 } from './r-23.ts';
import { R22 } from './r-22.ts';
import { R21 } from './r-21.ts';
import { R19 } from './r-19.ts';
import { R17 } from './r-17.ts';
import { R15 } from './r-15.ts';
import { R14 } from './r-14.ts';
import { R12 } from './r-12.ts';
import { R11 } from './r-11.ts';
import { R05 } from './r-05.ts';
import { R04 } from './r-04.ts';
import { R01 } from './r-01.ts';
import type { Fault } from './fault.ts';
import { R02 } from './r-02.ts';
import { R03 } from './r-03.ts';
import { R06, R06_ALONE, R06_TOLD } from './r-06.ts';
import { R07 } from './r-07.ts';
import { R08 } from './r-08.ts';
import { R09 } from './r-09.ts';
import { R10 } from './r-10.ts';
import { R13, R13_MANY } from './r-13.ts';
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

/** All that one machine can show. */
export const FAULTS: readonly Fault[] = [
  ...CI_SLICE,
  R01,
  R04,
  R05,
  R11,
  R12,
  R13_MANY,
  R14,
  R15,
  ...R16,
  R17,
  R19,
  R21,
  R22,
  ...R23,
  R24,
  R25,
  R26,
  R29,
].sort((a, b) => a.id.localeCompare(b.id));
