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
