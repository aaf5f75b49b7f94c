import { describeRows } from './support/describe-rows.ts';
import { EVENTS } from './tables/events.ts';

describeRows(EVENTS);
