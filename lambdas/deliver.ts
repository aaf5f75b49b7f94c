import type { MSKEvent } from 'aws-lambda';
import {
  addConversationRecord,
  addSignalRecord,
  deliverDirect,
  type ConversationRecord,
  type SignalRecord,
} from './consumers/deliver.ts';
import { Outgoing } from './consumers/post.ts';
import { consumeRecords } from './consumers/records.ts';
import { checkRecord } from './consumers/well-formed.ts';
import type { DirectAnswer, DirectRequest } from './ports/direct-delivery/port.ts';
import { directory, gateway, parking } from './runtime/aws/ports.ts';
import { deployed } from './runtime/lambda.ts';
import type { Services } from './runtime/services.ts';

/** Fan-out, the only function that posts to sockets: invoked by `send` for a small conversation, and by the stream for everything else. */
export function createHandler(services: Services) {
  return async (event: DirectRequest | MSKEvent): Promise<DirectAnswer | undefined> => {
    if ('type' in event) return deliverDirect(event, services);
    const outgoing = new Outgoing();
    await consumeRecords(
      event,
      async (topic, record) => {
        checkRecord(record as object);
        if (topic === 'conversation-events')
          await addConversationRecord(record as ConversationRecord, outgoing, services);
        else if (topic === 'signals') await addSignalRecord(record as SignalRecord, outgoing, services);
        else throw new Error('unknown topic');
      },
      services,
    );
    // The last road: nothing else will tell these connections of what they have missed.
    await outgoing.drop(await outgoing.post(services), services);
    return undefined;
  };
}

export const handler = deployed(createHandler, { directory, gateway, stream: parking });
