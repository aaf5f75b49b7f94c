import { describeRows } from './support/describe-rows.ts';
import { ROUTING } from './tables/routing.ts';

describeRows(ROUTING);
