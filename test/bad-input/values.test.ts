import { describeRows } from './support/describe-rows.ts';
import { VALUES } from './tables/values.ts';

describeRows(VALUES);
