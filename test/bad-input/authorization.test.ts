import { describeRows } from './support/describe-rows.ts';
import { AUTHORIZATION } from './tables/authorization.ts';

describeRows(AUTHORIZATION);
