import type { CredentialSource } from '../../lambdas/runtime/aws/credentials.ts';
import { encodeQuery, Signer } from '../../lambdas/runtime/aws/signer.ts';
import { AwsError } from './aws-errors.ts';

/** From the call to the end of the answer. */
export const CALL_TIMEOUT_MS = 10_000;

export interface AwsOptions {
  readonly region: string;
  readonly credentials: CredentialSource;
  /** Takes the place of every service's own address, as `AWS_ENDPOINT_URL` does. */
  readonly endpoint?: string;
  /** Of one call. Default `CALL_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
}

export interface AwsRequest {
  readonly service: 'sts' | 'cloudformation' | 'kafka' | 'lambda' | 'sqs';
  /** Each part of it percent-encoded once. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Makes it a POST: the form of the older APIs. */
  readonly form?: Readonly<Record<string, string>>;
  /** Makes it a POST: the JSON of the newer APIs. `target` names the operation where the path does not. */
  readonly json?: { readonly target?: string; readonly body: unknown };
}

/** The APIs whose SDK clients are not worth a dependency for one question each. */
export class Aws {
  constructor(private readonly options: AwsOptions) {}

  /** For the SDK's clients: the same account, Region and address. */
  get clientConfig() {
    const { region, credentials, endpoint } = this.options;
    return { region, credentials, maxAttempts: 2, ...(endpoint !== undefined && { endpoint }) };
  }

  get region(): string {
    return this.options.region;
  }

  /** For a call that begins now. */
  deadline(): AbortSignal {
    return AbortSignal.timeout(this.options.timeoutMs ?? CALL_TIMEOUT_MS);
  }

  addressOf(service: string): string {
    return this.options.endpoint ?? `https://${service}.${this.region}.amazonaws.com`;
  }

  /** The body of the answer. @throws {AwsError} as AWS refused; whatever `fetch` throws when there was no answer. */
  async call({ service, path = '/', query = {}, form, json }: AwsRequest): Promise<string> {
    const { region, credentials } = this.options;
    const endpoint = new URL(this.addressOf(service));
    const body = json ? JSON.stringify(json.body) : form && encodeQuery(form);
    const method = body === undefined ? 'GET' : 'POST';
    const unsigned = {
      host: endpoint.host,
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(json && { 'content-type': 'application/x-amz-json-1.0' }),
      ...(json?.target !== undefined && { 'x-amz-target': json.target }),
    };
    const signer = new Signer({ service, region, credentials });
    const request = { method, path, query, headers: unsigned, ...(body && { body }) };
    const { host: _fetchSetsIt, ...headers } = await signer.sign(request);
    const search = Object.keys(query).length > 0 ? `?${encodeQuery(query)}` : '';
    const response = await fetch(endpoint.origin + path + search, {
      method,
      headers,
      redirect: 'error',
      signal: this.deadline(),
      ...(body && { body }),
    });
    const text = await response.text();
    if (!response.ok) throw refusalOf(response, text);
    return text;
  }
}

/** The newer APIs name the error in a header, the older ones in XML. */
function refusalOf(response: Response, text: string): AwsError {
  const code = response.headers.get('x-amzn-errortype')?.split(':', 1)[0] ?? textOf(text, 'Code');
  const message = textOf(text, 'Message') ?? messageIn(text);
  return new AwsError(code ?? `HTTP ${response.status}`, message ?? 'without a reason');
}

function messageIn(text: string): string | undefined {
  try {
    const { message, Message } = JSON.parse(text) as { message?: string; Message?: string };
    return message ?? Message;
  } catch {
    return undefined;
  }
}

/** The text of the first such element; enough for answers that hold it once. */
export function textOf(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return text?.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: keyof typeof ENTITIES) => ENTITIES[name]);
}

const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
