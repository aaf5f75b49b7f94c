import type { Aws } from '../doctor/aws.ts';
import { Stop } from '../doctor/aws-errors.ts';
import type { Repair } from './redrive.ts';

/** Invokes `repair`, and waits until it is done. */
export function repairBy(aws: Aws, functionName: string): Repair {
  return async (request) => {
    const path = `/2015-03-31/functions/${functionName}/invocations`;
    const answer = await aws.call({ service: 'lambda', path, json: { body: request } });
    const { batchItemFailures } = parse(answer) as { batchItemFailures?: unknown[] };
    if (batchItemFailures?.length !== 0) {
      throw new Stop(`${functionName} failed. Its log says why; what was not repaired is still there: run this again.`);
    }
  };
}

function parse(text: string): object {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}
