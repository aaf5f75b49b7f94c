/** Where an engine answers. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * Calls DynamoDB Local, which asks for a signature and reads only whose it is.
 * @param operation of DynamoDB; that of another API with its version in front
 */
export async function callDynamo({ host, port }: Endpoint, operation: string, parameters: object): Promise<unknown> {
  const target = operation.includes('.') ? operation : `DynamoDB_20120810.${operation}`;
  const response = await fetch(`http://${host}:${port}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20200101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(parameters),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`DynamoDB Local refused ${operation}: ${JSON.stringify(answer)}`);
  return answer;
}

/** The account's own key at MiniStack, which reads only whose it is. Whoever stands in front of it has checked who calls. */
export function ministackAuthorization(service: string, region: string): string {
  return `AWS4-HMAC-SHA256 Credential=test/20200101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}

/** Calls SQS of MiniStack as the account's owner. */
export async function callSqs(
  { host, port }: Endpoint,
  region: string,
  operation: string,
  parameters: object,
): Promise<unknown> {
  const response = await fetch(`http://${host}:${port}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
      authorization: ministackAuthorization('sqs', region),
    },
    body: JSON.stringify(parameters),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`MiniStack refused ${operation}: ${answer}`);
  return JSON.parse(answer === '' ? '{}' : answer);
}

/** Puts an object into S3 of MiniStack as the account's owner, or makes a bucket, unless it is there: `/bucket/key`, `/bucket`. */
export async function putInS3({ host, port }: Endpoint, region: string, path: string, body: string): Promise<void> {
  const response = await fetch(`http://${host}:${port}${path}`, {
    method: 'PUT',
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', authorization: ministackAuthorization('s3', region) },
    body,
  });
  const answer = await response.text();
  if (response.ok || answer.includes('BucketAlreadyOwnedByYou')) return;
  throw new Error(`MiniStack refused to put ${path}: ${answer}`);
}
