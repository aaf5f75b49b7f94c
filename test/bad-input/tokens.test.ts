import { describeRows } from './support/describe-rows.ts';
import { TOKENS } from './tables/tokens.ts';

describeRows(TOKENS);
