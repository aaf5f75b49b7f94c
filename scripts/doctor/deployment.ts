import type { Stage } from '../../lib/stages.ts';
import type { Aws } from './aws.ts';

/** What the checks look at. */
export interface Deployment {
  readonly stage: Stage;
  readonly aws: Aws;
}

/** What a stack is called in bin/parley.ts, by what its name ends in. */
export const STACKS = {
  network: 'Network',
  data: 'Data',
  stream: 'Stream',
  edge: 'Edge',
  realtime: 'Realtime',
} as const;

export type StackPart = keyof typeof STACKS;

export function deployCommand({ stage }: Deployment, part?: StackPart): string {
  return `npx cdk deploy ${part ? STACKS[part] : '--all'} -c stage=${stage.name} -c issuer=… -c audience=…`;
}

/** A deployment does not see what was deleted by hand, so that deploying again would change nothing. */
export function missing(deployment: Deployment, part: StackPart): string {
  return (
    `Deploy it: ${deployCommand(deployment, part)}. If its stack is complete, it was deleted by hand, which a deployment does not notice: ` +
    (part === 'data'
      ? 'restore it under the same name from point-in-time recovery where that was on.'
      : `destroy the stack ${STACKS[part]} (and Realtime, which needs it), and deploy again. Nothing in it is the only copy.`)
  );
}
