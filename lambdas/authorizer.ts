import { randomUUID } from 'node:crypto';
import { DEVICE_ID } from '@parley/protocol';
import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { identity, settings } from './runtime/aws/ports.ts';
import { bearerOf } from './runtime/handshake.ts';
import { deployed } from './runtime/lambda.ts';
import { logger } from './runtime/logger.ts';
import type { AuthorizerContext } from './runtime/principal.ts';
import type { Services } from './runtime/services.ts';
import { TokenVerifier } from './runtime/token.ts';

/** API Gateway answers 401 for exactly this error. */
const UNAUTHORIZED = 'Unauthorized';

/**
 * Decides who may open a socket: 401 without one valid token, 403 for a wrong origin or a token without one workspace. What it
 * learns of the token goes with every later event of the connection, and nothing else ever verifies one.
 */
export function createHandler(services: Services) {
  const verifier = new TokenVerifier(services);
  return async (event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    const token = bearerOf(event);
    const claims = token === undefined ? undefined : await verifier.verify(token);
    if (!claims) throw new Error(UNAUTHORIZED);
    if (!isAllowedOrigin(event, services)) return policy('Deny', claims.userId, event.methodArn);
    const { workspaceId } = claims;
    if (workspaceId === undefined) {
      logger.warn('token without one workspace', { userId: claims.userId });
      return policy('Deny', claims.userId, event.methodArn);
    }
    const context = { ...claims, workspaceId, deviceId: deviceOf(event), expiresAtMs: String(claims.expiresAtMs) };
    return { ...policy('Allow', claims.userId, event.methodArn), context: context satisfies AuthorizerContext };
  };
}

/** Browsers always name their origin; whoever names none is no browser, and nothing authenticates but the token. */
function isAllowedOrigin({ multiValueHeaders }: APIGatewayRequestAuthorizerEvent, { settings }: Services): boolean {
  const origins = Object.entries(multiValueHeaders ?? {})
    .filter(([name]) => name.toLowerCase() === 'origin')
    .flatMap(([, values]) => values ?? []);
  if (origins.length === 0) return true;
  return origins.length === 1 && settings.allowedOrigins.includes(origins[0] ?? '');
}

/** A client that does not name its device is a new one at every connect. */
function deviceOf({ queryStringParameters }: APIGatewayRequestAuthorizerEvent): string {
  const deviceId = queryStringParameters?.['deviceId'];
  return deviceId !== undefined && DEVICE_ID.test(deviceId) ? deviceId : randomUUID();
}

function policy(effect: 'Allow' | 'Deny', principalId: string, resource: string): APIGatewayAuthorizerResult {
  const statement = { Action: 'execute-api:Invoke', Effect: effect, Resource: resource };
  return { principalId, policyDocument: { Version: '2012-10-17', Statement: [statement] } };
}

export const handler = deployed(createHandler, { identity, settings });
