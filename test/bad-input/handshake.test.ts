import { describeRows } from './support/describe-rows.ts';
import { HANDSHAKE } from './tables/handshake.ts';

describeRows(HANDSHAKE);
