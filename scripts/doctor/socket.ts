import { WebSocket } from 'ws';
import { ParleyClient, memoryStorage, type ParleyError, type WebSocketClass } from '@parley/client';
import { firstLineOf } from './aws-errors.ts';
import { deployCommand, type Deployment } from './deployment.ts';
import { judge, type Finding } from './finding.ts';
import { within } from './within.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Of a whole session: handshake, start, heartbeat. */
const SESSION_TIMEOUT_MS = 30_000;

export interface SocketCheckOptions {
  /** `wss://{api}/{stage}`; undefined where no stack says it. */
  readonly socketUrl: string | undefined;
  readonly token?: string;
}

/** Node's own class would not say with which status a handshake was refused. */
const webSocket = WebSocket as unknown as WebSocketClass;

/** That the API answers, that it lets nobody in without a token, and, where there is one, that a session works. */
export async function checkSocket(deployment: Deployment, options: SocketCheckOptions): Promise<readonly Finding[]> {
  const { socketUrl, token } = options;
  if (socketUrl === undefined) {
    const advice = `The output SocketUrl of the stack Realtime is missing: ${deployCommand(deployment, 'realtime')}`;
    return [{ name: 'socket', ok: false, found: 'no address', advice }];
  }
  const checks = [checkRefusal(deployment, socketUrl)];
  if (token !== undefined) checks.push(checkSession(deployment, socketUrl, token));
  return Promise.all(checks);
}

async function checkRefusal(deployment: Deployment, url: string): Promise<Finding> {
  const name = 'socket without a token';
  const answer = await knock(url);
  const found = typeof answer === 'number' ? `${url} answers ${answer}` : `${url}: ${answer}`;
  return judge(name, answer === 401, found, adviceOnAnswer(answer, deployment));
}

function adviceOnAnswer(answer: number | string, deployment: Deployment): string {
  const deploy = deployCommand(deployment, 'realtime');
  if (answer === 101) return `Anyone can connect! $connect has lost its authorizer. Deploy again, at once: ${deploy}`;
  if (answer === 429)
    return 'The API is throttled: too many requests for the stage or the account. Run this again in a minute.';
  if (answer === 403 || answer === 404)
    return `The stage of the API is not there, or something in front of it refuses. ${deploy}`;
  if (typeof answer === 'number')
    return 'It should be 401. The access log of the API, a log group of Realtime, says why it is not.';
  return `Check the network and its proxy: it must let WebSockets through. If the name does not exist, the API is gone: ${deploy}`;
}

/** The status of a handshake that offers no sub-protocol, and so no token; 101 when it succeeds, or why there was no answer. */
function knock(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    socket.on('error', (error) => resolve(firstLineOf(error)));
  });
}

async function checkSession(deployment: Deployment, url: string, token: string): Promise<Finding> {
  const name = 'socket with the token';
  let last: ParleyError | undefined;
  const client = new ParleyClient({ url, token: () => token, storage: memoryStorage(), webSocket });
  client.on('error', (error) => (last = error));
  try {
    await within(SESSION_TIMEOUT_MS, client.connect());
    if (client.state !== 'online') throw last ?? new Error('no session');
    await within(SESSION_TIMEOUT_MS, client.request('heartbeat', { heads: {} }));
    return { name, ok: true, found: `session and heartbeat work, as ${client.userId ?? 'unknown'}` };
  } catch (error) {
    const found = describe(error).replaceAll(token, '…');
    return { name, ok: false, found, advice: adviceOnSession(found, deployment) };
  } finally {
    await client.close();
  }
}

function describe(error: unknown): string {
  const { code, requestId, cause } = error as Record<string, unknown>;
  const reason = firstLineOf(cause ?? error);
  const request = typeof requestId === 'string' ? `, request ${requestId}` : '';
  return typeof code === 'string' ? `${code}: ${reason}${request}` : reason;
}

function adviceOnSession(found: string, { stage }: Deployment): string {
  if (/response: 40[13]/.test(found)) {
    return 'The token was refused. It may have expired; its iss and aud must be the issuer and the audience that the deployment was given.';
  }
  const functions = ['authorizer', 'connect', 'sync', 'heartbeat'].map((name) => `parley-${stage.name}-${name}`);
  return `The logs of ${functions.join(', ')} say why, in this order of what is called.`;
}
