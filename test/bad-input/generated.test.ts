import { describeRows } from './support/describe-rows.ts';
import { GENERATED } from './tables/generated.ts';

describeRows(GENERATED);
