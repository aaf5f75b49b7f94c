import { describeRows } from './support/describe-rows.ts';
import { FRAMING } from './tables/framing.ts';

describeRows(FRAMING);
