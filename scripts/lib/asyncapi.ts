import { ACTION_NAMES, ACTIONS, ERRORS, EVENTS, LIMITS, SUBPROTOCOL, type ActionName } from '@parley/protocol';
import { jsonSchemaOf, namedSchemas } from './schemas.ts';

const CHANNEL = { $ref: '#/channels/socket' };
const inChannel = (message: string) => ({ $ref: `#/channels/socket/messages/${message}` });
const inComponents = (message: string) => ({ $ref: `#/components/messages/${message}` });
const requestId = { type: 'string', minLength: 1, maxLength: LIMITS.requestIdMaxChars };

/** `parley.v1` as an AsyncAPI 3.0 document, seen from the server: it receives requests, answers them and sends events. */
export function asyncApi(version: string) {
  const messages = {
    ...Object.fromEntries(ACTION_NAMES.flatMap((name) => [request(name), reply(name)])),
    error: {
      summary: 'The answer to a request that was refused or failed.',
      correlationId: { $ref: '#/components/correlationIds/requestId' },
      payload: { $ref: '#/components/schemas/ErrorReply' },
    },
    events: {
      summary: 'What happened: one message carries several events, in order.',
      payload: { $ref: '#/components/schemas/EventsFrame' },
    },
  };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Parley',
      version,
      description: `The wire protocol ${SUBPROTOCOL}. docs/protocol.md is the reference in words.`,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: servers(),
    channels: {
      socket: {
        address: '/',
        title: 'The socket of one device',
        messages: Object.fromEntries(Object.keys(messages).map((name) => [name, inComponents(name)])),
        bindings: { ws: { method: 'GET', query: { type: 'object', properties: { deviceId: { type: 'string' } } } } },
      },
    },
    operations: { ...Object.fromEntries(ACTION_NAMES.map(operation)), events: eventsOperation() },
    components: {
      schemas: { ...namedSchemas(), ...frames() },
      messages,
      correlationIds: { requestId: { location: '$message.payload#/id' } },
      securitySchemes: {
        bearer: {
          type: 'httpApiKey',
          in: 'header',
          name: 'Sec-WebSocket-Protocol',
          description: `Offer the sub-protocols ${SUBPROTOCOL} and bearer.<JWT>; the server answers ${SUBPROTOCOL}.`,
        },
      },
    },
  };
}

function servers() {
  const security = [{ $ref: '#/components/securitySchemes/bearer' }];
  return {
    local: {
      host: '127.0.0.1:8787',
      pathname: '/local',
      protocol: 'ws',
      description: 'What npm start serves.',
      security,
    },
    deployed: {
      host: '{api}.execute-api.{region}.amazonaws.com',
      pathname: '/{stage}',
      protocol: 'wss',
      description: 'An API Gateway WebSocket API.',
      variables: {
        api: { description: 'The id of the API.' },
        region: { description: 'The AWS region.' },
        stage: { description: 'The stage of the API.' },
      },
      security,
    },
  };
}

function request(name: ActionName) {
  const payload = {
    type: 'object',
    properties: { action: { const: name }, id: requestId, body: jsonSchemaOf(ACTIONS[name].body) },
    required: ['action', 'id'],
  };
  return [name, message(ACTIONS[name].summary, payload)] as const;
}

function reply(name: ActionName) {
  const payload = {
    type: 'object',
    properties: { id: requestId, ok: { const: true }, body: jsonSchemaOf(ACTIONS[name].reply) },
    required: ['id', 'ok', 'body'],
  };
  return [`${name}.reply`, message(`The answer to ${name}.`, payload)] as const;
}

function message(summary: string, payload: object) {
  return { summary, correlationId: { $ref: '#/components/correlationIds/requestId' }, payload };
}

function operation(name: ActionName) {
  return [
    name,
    {
      action: 'receive',
      channel: CHANNEL,
      summary: ACTIONS[name].summary,
      messages: [inChannel(name)],
      reply: { channel: CHANNEL, messages: [inChannel(`${name}.reply`), inChannel('error')] },
    },
  ] as const;
}

function eventsOperation() {
  return { action: 'send', channel: CHANNEL, summary: 'Pushes what happened.', messages: [inChannel('events')] };
}

function frames() {
  const eventTypes = Object.entries(EVENTS).map(([type, { summary, body }]) => ({
    type: 'object',
    description: summary,
    properties: { type: { const: type }, body: jsonSchemaOf(body) },
    required: ['type', 'body'],
  }));
  return {
    ErrorReply: {
      type: 'object',
      properties: {
        id: { type: ['string', 'null'], description: 'null where the request had no id that could be read.' },
        ok: { const: false },
        error: {
          type: 'object',
          properties: {
            code: { type: 'string', enum: Object.keys(ERRORS) },
            message: { type: 'string' },
            remediation: { type: 'string' },
            temporary: { type: 'boolean' },
            retryAfterMs: { type: 'integer', minimum: 0 },
            requestId: { type: 'string' },
          },
          required: ['code', 'message', 'remediation', 'temporary', 'retryAfterMs'],
        },
      },
      required: ['id', 'ok', 'error'],
    },
    EventsFrame: {
      type: 'object',
      properties: { events: { type: 'array', items: { oneOf: eventTypes } } },
      required: ['events'],
    },
  };
}
