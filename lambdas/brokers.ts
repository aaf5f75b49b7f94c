import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { credentialsOf } from './runtime/aws/credentials.ts';
import { Signer } from './runtime/aws/signer.ts';
import { logger } from './runtime/logger.ts';

const TIMEOUT_MS = 20_000;

type Outcome =
  { readonly Status: 'SUCCESS'; readonly Data?: object } | { readonly Status: 'FAILED'; readonly Reason: string };

/**
 * Tells CloudFormation where the brokers of a cluster are, which its own resource does not. Runs while deploying only. Answers
 * whatever happens: without an answer a deployment would wait for the time-out of the resource.
 */
export async function handler(event: CloudFormationCustomResourceEvent): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;
  const clusterArn = String(event.ResourceProperties['ClusterArn']);
  const outcome = await lookUp(event.RequestType, clusterArn);
  const answer = { StackId, RequestId, LogicalResourceId, PhysicalResourceId: clusterArn, ...outcome };
  const response = await fetch(ResponseURL, {
    method: 'PUT',
    body: JSON.stringify(answer),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  logger.info('answered CloudFormation', { outcome: outcome.Status, status: response.status });
}

async function lookUp(
  requestType: CloudFormationCustomResourceEvent['RequestType'],
  clusterArn: string,
): Promise<Outcome> {
  if (requestType === 'Delete') return { Status: 'SUCCESS' };
  try {
    return { Status: 'SUCCESS', Data: { Brokers: await brokersOf(clusterArn) } };
  } catch (error) {
    logger.error('no brokers', { error: error as Error });
    return { Status: 'FAILED', Reason: `GetBootstrapBrokers of ${clusterArn}: ${String(error)}` };
  }
}

/** The brokers that take IAM authentication, as `host:port,host:port…`, in an order that stays the same. */
async function brokersOf(clusterArn: string): Promise<string> {
  const region = process.env['AWS_REGION'] ?? '';
  const host = `kafka.${region}.amazonaws.com`;
  const path = `/v1/clusters/${encodeURIComponent(clusterArn)}/bootstrap-brokers`;
  const signer = new Signer({ service: 'kafka', region, credentials: credentialsOf(process.env) });
  const { host: _fetchSetsIt, ...headers } = await signer.sign({ method: 'GET', path, headers: { host } });
  const response = await fetch(`https://${host}${path}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body = (await response.json()) as { bootstrapBrokerStringSaslIam?: string; message?: string };
  const brokers = body.bootstrapBrokerStringSaslIam;
  if (brokers === undefined) throw new Error(`answered ${response.status} ${body.message ?? ''}`);
  return brokers.split(',').sort().join(',');
}
