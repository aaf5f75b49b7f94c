import type { Directory } from '../ports/directory/port.ts';
import type { DirectDelivery } from '../ports/direct-delivery/port.ts';
import type { EventStream } from '../ports/event-stream/port.ts';
import type { Gateway } from '../ports/gateway/port.ts';
import type { Identity } from '../ports/identity/port.ts';
import type { MessageLog } from '../ports/message-log/port.ts';
import type { Presence } from '../ports/presence/port.ts';
import type { Repairs } from '../ports/repairs/port.ts';

/** What a stage may set differently. */
export interface Settings {
  /** Origins that browsers may connect from, exactly as they send them. Clients without an origin are no browsers. */
  readonly allowedOrigins: readonly string[];
}

/** The ports that a function works on, and the clock. A function touches only those that its role allows. */
export interface Services {
  readonly log: MessageLog;
  readonly directory: Directory;
  readonly presence: Presence;
  readonly stream: EventStream;
  readonly gateway: Gateway;
  readonly direct: DirectDelivery;
  readonly repairs: Repairs;
  readonly identity: Identity;
  readonly settings: Settings;
  /** Ms since the Unix epoch. */
  readonly now: () => number;
}
