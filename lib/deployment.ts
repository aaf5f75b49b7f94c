import type { App } from 'aws-cdk-lib';
import type { CodeOf } from './constructs/parley-function.ts';
import { DataStack } from './data-stack.ts';
import { EdgeStack } from './edge-stack.ts';
import { NetworkStack } from './network-stack.ts';
import { RealtimeStack } from './realtime-stack.ts';
import type { Stage } from './stages.ts';
import { StreamStack } from './stream-stack.ts';

/** Parley as stacks, split by what may be lost. References go one way, downwards here. */
export function deployParley(app: App, stage: Stage, codeOf: CodeOf) {
  const named = (part: string) => ({ stackName: `parley-${stage.name}-${part}`, tags: { 'parley:stage': stage.name } });
  const network = new NetworkStack(app, 'Network', { stage, ...named('network') });
  const data = new DataStack(app, 'Data', { stage, network, ...named('data') });
  const stream = new StreamStack(app, 'Stream', { stage, network, codeOf, ...named('stream') });
  const edge = new EdgeStack(app, 'Edge', { stage, ...named('edge') });
  const realtime = new RealtimeStack(app, 'Realtime', {
    stage,
    network,
    data,
    stream,
    edge,
    codeOf,
    ...named('realtime'),
  });
  return { network, data, stream, edge, realtime };
}
