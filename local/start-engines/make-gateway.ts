import type { DeployedApp } from '../assembly/deployed-app.ts';
import type { Access } from '../aws/access.ts';
import type { Keyring } from '../aws/keyring.ts';
import { LocalGateway, type GatewaySettings } from '../gateway/gateway.ts';
import { returned } from '../lambda/result.ts';
import type { LambdaRuntime } from '../lambda/runtime.ts';

export interface AppGatewayOptions {
  readonly app: DeployedApp;
  readonly runtime: LambdaRuntime;
  readonly keyring: Keyring;
  readonly access: Access;
  /** Stronger than what the template says. */
  readonly settings: Partial<GatewaySettings>;
  readonly log?: (source: string, line: string) => void;
}

/** The API of the app as the template has it. It invokes only functions that admit it, and lets only those post whose role says so. */
export function makeGateway({ app, runtime, keyring, access, settings, log }: AppGatewayOptions): LocalGateway {
  const { at, api, functions } = app;
  const apiArn = `arn:${at.partition}:execute-api:${at.region}:${at.accountId}:${api.apiId}`;
  const mayInvoke = (functionName: string, event: unknown): boolean => {
    const { type, requestContext } = event as { type?: string; requestContext?: { routeKey?: string } };
    const source =
      type === 'REQUEST' ? `authorizers/${api.authorizer?.id ?? ''}` : `${api.stage}/${requestContext?.routeKey ?? ''}`;
    return access.admits(functions.get(functionName)?.permissions ?? [], functionName, `${apiArn}/${source}`);
  };
  return new LocalGateway({
    apiId: api.apiId,
    stage: api.stage,
    region: at.region,
    accountId: at.accountId,
    routes: api.routes,
    routeSelectionExpression: api.routeSelectionExpression,
    ...(api.authorizer && { authorizer: api.authorizer }),
    ...(api.stageVariables && { stageVariables: api.stageVariables }),
    invoke: async (functionName, event) => {
      if (!mayInvoke(functionName, event)) throw new Error(`API Gateway may not invoke ${functionName}`);
      return returned(await runtime.invoke(functionName, event));
    },
    credentials: (accessKeyId) => {
      const key = keyring.find(accessKeyId);
      return (
        key && {
          functionName: key.functionName,
          secretAccessKey: key.secretAccessKey,
          allowed: (method) => {
            access.onCall(key.functionName, `execute-api:${method}`);
            return access.allows(key.functionName, {
              action: 'execute-api:ManageConnections',
              resource: `${apiArn}/${api.stage}/${method}/@connections/{connectionId}`,
            });
          },
        }
      );
    },
    settings: {
      ...(api.throttle && { messagesPerSecond: api.throttle.perSecond, messagesBurst: api.throttle.burst }),
      ...settings,
    },
    log: (record) => log?.('gateway', JSON.stringify(record)),
  });
}
