import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ParleyTable } from './constructs/dynamo-tables.ts';
import { EncryptionKey } from './constructs/encryption-key.ts';
import { MessageLog } from './constructs/message-log.ts';
import type { NetworkStack } from './network-stack.ts';
import type { Stage } from './stages.ts';

export interface DataStackProps extends StackProps {
  readonly stage: Stage;
  readonly network: NetworkStack;
}

/** Everything that must not be lost. Where a stage keeps its data, deleting this stack takes more than one decision. */
export class DataStack extends Stack {
  readonly log: MessageLog;
  readonly directory: ParleyTable<'directory'>;
  readonly connections: ParleyTable<'connections'>;
  readonly sends: ParleyTable<'sends'>;

  constructor(scope: Construct, id: string, { stage, network, ...props }: DataStackProps) {
    super(scope, id, { ...props, terminationProtection: stage.keepData });
    const encryption = new EncryptionKey(this, 'DataKey', stage, 'messages, heads, rosters, connections');
    this.log = new MessageLog(this, 'Log', { stage, vpc: network.vpc, encryption });
    this.directory = new ParleyTable(this, 'Directory', 'directory', stage, encryption);
    this.connections = new ParleyTable(this, 'Connections', 'connections', stage, encryption);
    this.sends = new ParleyTable(this, 'Sends', 'sends', stage, encryption);
  }
}
