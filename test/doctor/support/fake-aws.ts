import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignatureCheck } from '../../../local/gateway/signature.ts';
import { answerFor, escapeXml, type Answer, type Asked } from './answers.ts';
import { REGION, type AwsState } from './deployed.ts';

export const KEY = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret-of-the-test',
  sessionToken: 'token-of-the-session',
};

/** A way in which AWS refuses, for one operation or all. */
export interface Refusal {
  readonly code: string;
  readonly message?: string;
  readonly status?: number;
}

/** The control planes that the doctor asks, on one port: their wire shapes, every signature checked, answers from a state. */
export class FakeAws {
  /** By operation; `*` for all. `'hang'` never answers. */
  readonly refusals = new Map<string, Refusal | 'hang'>();
  readonly asked: string[] = [];
  private readonly server: Server;

  private constructor(public state: AwsState) {
    this.server = createServer((request, response) => {
      void this.answer(request).then((answer) => {
        if (answer === undefined) return;
        response.writeHead(answer.status, answer.headers);
        response.end(answer.body);
      });
    });
  }

  static async start(state: AwsState): Promise<FakeAws> {
    const fake = new FakeAws(state);
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage): Promise<Answer | undefined> {
    const body = await bodyOf(request);
    const asked = readQuestion(request, body);
    this.asked.push(asked.operation);
    const refusal = this.refusals.get(asked.operation) ?? this.refusals.get('*');
    if (refusal === 'hang') return undefined;
    if (refusal) return refuse(asked, refusal);
    const secrets = { secretAccessKey: KEY.secretAccessKey, allowed: () => true };
    const find = (id: string) => (id === KEY.accessKeyId ? secrets : undefined);
    const check = new SignatureCheck(REGION, find, 60_000, Date.now, asked.service);
    const signer = await check.verify(request, body);
    if (!('secretAccessKey' in signer) || request.headers['x-amz-security-token'] !== KEY.sessionToken) {
      return refuse(asked, { code: 'SignatureDoesNotMatch', status: 403 });
    }
    return answerFor(asked, this.state);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function readQuestion(request: IncomingMessage, body: Buffer): Asked {
  const url = new URL(request.url ?? '', 'http://local');
  const service = /\/([a-z-]+)\/aws4_request/.exec(request.headers.authorization ?? '')?.[1] ?? 'unsigned';
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    return {
      service,
      operation: target.split('.')[1]!,
      parameters: JSON.parse(body.toString()) as Record<string, string>,
    };
  }
  if (request.method === 'POST') {
    const form = Object.fromEntries(new URLSearchParams(body.toString()));
    return { service, operation: form['Action'] ?? '', parameters: form };
  }
  const query = Object.fromEntries(url.searchParams);
  for (const [operation, path] of Object.entries(PATHS)) {
    const match = path.exec(url.pathname);
    if (match) return { service, operation, parameters: { ...query, subject: decodeURIComponent(match[1] ?? '') } };
  }
  return { service, operation: `${request.method ?? ''} ${url.pathname}`, parameters: query };
}

const PATHS = {
  ListClustersV2: /^\/api\/v2\/clusters$/,
  ListTopics: /^\/v1\/clusters\/([^/]+)\/topics$/,
  ListEventSourceMappings: /^\/2015-03-31\/event-source-mappings$/,
  GetFunctionConfiguration: /^\/2015-03-31\/functions\/([^/]+)\/configuration$/,
};

function refuse({ service }: Asked, { code, message = 'as the test wants', status = 400 }: Refusal): Answer {
  if (service === 'sts' || service === 'cloudformation') {
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
    return { status, headers: { 'content-type': 'text/xml' }, body: `<ErrorResponse>${error}</ErrorResponse>` };
  }
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': code };
  return { status, headers, body: JSON.stringify({ __type: code, message }) };
}
