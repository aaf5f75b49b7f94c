import { randomBytes } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Authorizer, type Refused } from './authorizer.ts';
import { Connection } from './connection.ts';
import { connectEvent, momentAt, type Api, type Moment } from './events.ts';
import { newId } from './ids.ts';
import type { Invoker } from './invoker.ts';
import { headerOf, readProxyResponse } from './lambda-response.ts';
import { FunctionError, IntegrationTimeout, type GatewayOptions } from './options.ts';
import { answerRaw } from './refusal.ts';
import { UPGRADE_REFUSALS, type GatewaySettings } from './settings.ts';
import { TokenBucket } from './throttle.ts';
import { readUpgradeRequest, type UpgradeRequest } from './upgrade-request.ts';

/** Where an accepted client goes; `subprotocol` is what `$connect` chose. */
export interface Accepted {
  readonly connection: Connection;
  readonly subprotocol: string | undefined;
}

const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Decides about upgrades: stage, throttle, authorizer, `$connect`, in this order. */
export class Handshake {
  readonly #authorizer: Authorizer | undefined;
  readonly #bucket: TokenBucket;

  constructor(
    private readonly options: GatewayOptions,
    private readonly settings: GatewaySettings,
    private readonly api: Api,
    private readonly invoker: Invoker,
    private readonly now: () => number,
  ) {
    if (options.authorizer) this.#authorizer = new Authorizer(options.authorizer, api, invoker, settings);
    this.#bucket = new TokenBucket(settings.connectsPerSecond, settings.connectsBurst, now);
  }

  /**
   * What becomes of an upgrade. A refusal has been answered when this resolves; `undefined` says so.
   * @param isShutDown asked again after every wait.
   */
  async decide(request: IncomingMessage, socket: Duplex, isShutDown: () => boolean): Promise<Accepted | undefined> {
    const startedAtMs = this.now();
    const moment = momentAt(startedAtMs);
    const connectionId = newId();
    const outcome = await this.#decide(request, socket, isShutDown, moment, connectionId);
    const ids = { connectionId, requestId: moment.requestId };
    const durationMs = this.now() - startedAtMs;
    if ('connection' in outcome) {
      this.options.log?.({ at: 'connect', ...ids, status: 101, durationMs });
      return outcome;
    }
    const { status, type, message } = outcome.refusal;
    this.options.log?.({ at: 'connect', ...ids, status, durationMs, cause: outcome.cause });
    answerRaw(socket, {
      status,
      headers: { 'x-amzn-RequestId': moment.requestId, ...(type !== '' && { 'x-amzn-ErrorType': type }) },
      body: JSON.stringify({ message, ...ids }),
    });
    return undefined;
  }

  async #decide(
    request: IncomingMessage,
    socket: Duplex,
    isShutDown: () => boolean,
    moment: Moment,
    connectionId: string,
  ): Promise<Accepted | Refused> {
    const refused = this.#checkRequest(request, isShutDown);
    if (refused) return refused;
    const upgrade = readUpgradeRequest(request, traceId(moment.atMs));
    const connection = new Connection(connectionId, moment.atMs, upgrade.sourceIp, upgrade.userAgent);
    let latencyMs: number | undefined;
    if (this.#authorizer) {
      const answer = await this.#authorizer.ask(connection, upgrade, moment);
      if ('refusal' in answer) return answer;
      connection.authorizer = answer.context;
      latencyMs = answer.integrationLatencyMs;
    }
    if (isGone(socket)) return GONE;
    const answer = await this.#runConnect(connection, upgrade, moment, latencyMs);
    if ('refusal' in answer) return answer;
    if (isShutDown()) return { refusal: UPGRADE_REFUSALS.shutDown, cause: 'the gateway shuts down' };
    return isGone(socket) ? GONE : { connection, subprotocol: answer.subprotocol };
  }

  /** What can be refused without running a function. */
  #checkRequest(request: IncomingMessage, isShutDown: () => boolean): Refused | undefined {
    const { method, url = '', headers, rawHeaders } = request;
    if (isShutDown()) return { refusal: UPGRADE_REFUSALS.shutDown, cause: 'the gateway shuts down' };
    if (url.length > this.settings.urlMaxChars) return { refusal: UPGRADE_REFUSALS.urlTooLong, cause: 'URL too long' };
    const headerBytes = rawHeaders.reduce((sum, text) => sum + text.length, 0);
    if (headerBytes > this.settings.headersMaxBytes) {
      return { refusal: UPGRADE_REFUSALS.headersTooLong, cause: 'headers too long' };
    }
    const path = url.split('?', 1)[0];
    if (path !== `/${this.api.stage}` && path !== `/${this.api.stage}/`) {
      return { refusal: UPGRADE_REFUSALS.unknownStage, cause: 'unknown stage or path' };
    }
    const isWebSocket =
      method === 'GET' &&
      headers.upgrade?.toLowerCase() === 'websocket' &&
      KEY.test(headers['sec-websocket-key'] ?? '') &&
      headers['sec-websocket-version'] === '13';
    if (!isWebSocket) return { refusal: UPGRADE_REFUSALS.notWebSocket, cause: 'no WebSocket upgrade' };
    if (!this.#bucket.take()) return { refusal: UPGRADE_REFUSALS.throttled, cause: 'throttled' };
    return undefined;
  }

  /** Runs `$connect` where there is such a route; without one every client is accepted. */
  async #runConnect(
    connection: Connection,
    upgrade: UpgradeRequest,
    moment: Moment,
    integrationLatency: number | undefined,
  ): Promise<{ subprotocol: string | undefined } | Refused> {
    const route = this.options.routes.get('$connect');
    if (!route) return { subprotocol: undefined };
    const authorizer = connection.authorizer && {
      ...connection.authorizer,
      ...(integrationLatency !== undefined && { integrationLatency }),
    };
    let answer: unknown;
    try {
      const event = connectEvent(this.api, connection, upgrade, moment, authorizer);
      answer = await this.invoker.run(route.functionName, event);
    } catch (error) {
      if (error instanceof IntegrationTimeout)
        return { refusal: UPGRADE_REFUSALS.timedOut, cause: '$connect timed out' };
      return error instanceof FunctionError
        ? { refusal: UPGRADE_REFUSALS.functionFailed, cause: `$connect failed: ${error.errorType}` }
        : { refusal: UPGRADE_REFUSALS.integrationMissing, cause: '$connect could not be run' };
    }
    const response = readProxyResponse(answer, this.settings.lenient);
    if (!response) return { refusal: UPGRADE_REFUSALS.functionFailed, cause: 'malformed answer of $connect' };
    const { statusCode: status } = response;
    if (status > 299) {
      return { refusal: { status, type: '', message: STATUS_CODES[status] ?? '' }, cause: '$connect refused' };
    }
    const subprotocol = headerOf(response, 'sec-websocket-protocol');
    if (subprotocol !== undefined && !TOKEN.test(subprotocol)) {
      return { refusal: UPGRADE_REFUSALS.functionFailed, cause: 'malformed sub-protocol of $connect' };
    }
    return { subprotocol };
  }
}

/** Nobody is left to answer; the refusal is for the log. */
const GONE: Refused = { refusal: { status: 499, type: '', message: '' }, cause: 'the client went away' };

function isGone(socket: Duplex): boolean {
  return socket.destroyed;
}

function traceId(atMs: number): string {
  return `Root=1-${Math.floor(atMs / 1_000).toString(16)}-${randomBytes(12).toString('hex')}`;
}
