import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { EncryptionKey } from './constructs/encryption-key.ts';
import { EventStream } from './constructs/event-stream.ts';
import type { CodeOf } from './constructs/parley-function.ts';
import { PresenceCache } from './constructs/presence-cache.ts';
import type { NetworkStack } from './network-stack.ts';
import type { Stage } from './stages.ts';

export interface StreamStackProps extends StackProps {
  readonly stage: Stage;
  readonly network: NetworkStack;
  readonly codeOf: CodeOf;
}

/** What is on its way and what is true only now. Can be deleted and made again: the log is in the data stack. */
export class StreamStack extends Stack {
  readonly events: EventStream;
  readonly presence: PresenceCache;

  constructor(scope: Construct, id: string, { stage, network, codeOf, ...props }: StreamStackProps) {
    super(scope, id, props);
    const { vpc } = network;
    const encryption = new EncryptionKey(this, 'StreamKey', stage, 'events on their way, presence');
    this.events = new EventStream(this, 'Events', { stage, vpc, encryption, codeOf });
    this.presence = new PresenceCache(this, 'Presence', { stage, vpc, encryption });
  }
}
