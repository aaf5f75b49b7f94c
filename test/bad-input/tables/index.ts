import type { Table } from '../support/refusals.ts';
import { AUTHORIZATION } from './authorization.ts';
import { EVENTS } from './events.ts';
import { FRAMING } from './framing.ts';
import { GENERATED } from './generated.ts';
import { HANDSHAKE } from './handshake.ts';
import { ROUTING } from './routing.ts';
import { TOKENS } from './tokens.ts';
import { VALUES } from './values.ts';

/** All tables; each is run by the test file of its name. */
export const TABLES: Readonly<Record<string, Table>> = {
  authorization: AUTHORIZATION,
  events: EVENTS,
  framing: FRAMING,
  generated: GENERATED,
  handshake: HANDSHAKE,
  routing: ROUTING,
  tokens: TOKENS,
  values: VALUES,
};
