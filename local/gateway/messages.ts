import type { Connection } from './connection.ts';
import { messageEvent, type Api } from './events.ts';
import { newId } from './ids.ts';
import type { Invoker } from './invoker.ts';
import { readProxyResponse } from './lambda-response.ts';
import { IntegrationTimeout, type GatewayOptions, type Route } from './options.ts';
import { compileRouteSelection, type RouteSelector } from './route-selection.ts';
import { FRAME_MESSAGES, type GatewaySettings } from './settings.ts';
import { TokenBucket } from './throttle.ts';

/** Byte for byte as the service spells it: one space after `"message":` and after each comma, none after the other colons. */
export function errorFrame(message: string, connectionId: string, requestId: string): string {
  return `{"message": "${message}", "connectionId":"${connectionId}", "requestId":"${requestId}"}`;
}

/** Routes the messages of all connections. Each is invoked on arrival, so those of one connection run concurrently. */
export class Messages {
  readonly #select: RouteSelector;
  readonly #bucket: TokenBucket;

  constructor(
    private readonly options: GatewayOptions,
    private readonly settings: GatewaySettings,
    private readonly api: Api,
    private readonly invoker: Invoker,
    private readonly now: () => number,
  ) {
    this.#select = compileRouteSelection(options.routeSelectionExpression);
    this.#bucket = new TokenBucket(settings.messagesPerSecond, settings.messagesBurst, now);
  }

  /** Runs the function of a message and answers the client. Never rejects. */
  async handle(connection: Connection, body: string): Promise<void> {
    if (!this.#bucket.take()) {
      this.#refuse(connection, FRAME_MESSAGES.throttled, newId(), 'throttled');
      return;
    }
    const routeKey = this.#routeKey(body);
    const route = this.options.routes.get(routeKey);
    if (!route) {
      this.#refuse(connection, FRAME_MESSAGES.noRoute, newId(), 'no route');
      return;
    }
    await this.#run(connection, routeKey, route, body);
  }

  async #run(connection: Connection, routeKey: string, route: Route, body: string): Promise<void> {
    const startedAtMs = this.now();
    const event = messageEvent(this.api, connection, routeKey, body, startedAtMs);
    const { requestId } = event.requestContext;
    let answer: unknown;
    try {
      answer = await this.invoker.run(route.functionName, event);
    } catch (error) {
      const timedOut = error instanceof IntegrationTimeout;
      const message = timedOut ? FRAME_MESSAGES.timedOut : FRAME_MESSAGES.failed;
      this.#refuse(connection, message, requestId, timedOut ? 'timed out' : 'failed', routeKey);
      return;
    }
    const response = readProxyResponse(answer, this.settings.lenient);
    if (!response) {
      this.#refuse(connection, FRAME_MESSAGES.failed, requestId, 'malformed answer', routeKey);
      return;
    }
    if (route.routeResponse && response.body !== undefined) {
      // [I] for answers above the limit of a message.
      if (isLonger(response.body, this.settings.messageMaxBytes)) {
        this.#refuse(connection, FRAME_MESSAGES.failed, requestId, 'answer too large', routeKey);
        return;
      }
      this.#send(connection, response.body);
    }
    this.options.log?.({
      at: 'message',
      connectionId: connection.id,
      requestId,
      routeKey,
      outcome: 'ok',
      durationMs: this.now() - startedAtMs,
    });
  }

  /** The route of a message; `$connect` and `$disconnect` cannot be called by name. [I] */
  #routeKey(body: string): string {
    let key: string;
    try {
      key = this.#select(JSON.parse(body));
    } catch {
      // No JSON, or nested more deeply than a stack is high.
      return '$default';
    }
    return key !== '$connect' && key !== '$disconnect' && this.options.routes.has(key) ? key : '$default';
  }

  #refuse(connection: Connection, message: string, requestId: string, outcome: string, routeKey?: string): void {
    this.#send(connection, errorFrame(message, connection.id, requestId));
    this.options.log?.({ at: 'message', connectionId: connection.id, requestId, routeKey, outcome });
  }

  #send(connection: Connection, text: string): void {
    connection.lastActiveAtMs = this.now();
    connection.send(text, this.settings.frameMaxBytes);
  }
}

function isLonger(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}
