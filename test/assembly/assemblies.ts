import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Resources = Record<string, { Type: string; Properties?: unknown; Condition?: string }>;

export interface HandMade {
  readonly Resources: Resources;
  readonly Parameters?: unknown;
  readonly Conditions?: unknown;
  readonly Mappings?: unknown;
  readonly Outputs?: unknown;
}

const folders: string[] = [];

/** Writes an assembly of these stacks, with one bundled asset: `code.zip`. */
export function writeAssembly(
  stacks: Record<string, HandMade>,
  asset: Record<string, string> = { 'index.mjs': '' },
): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-assembly-'));
  folders.push(folder);
  const artifacts: Record<string, unknown> = {};
  for (const [name, template] of Object.entries(stacks)) {
    writeJson(join(folder, `${name}.template.json`), template);
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      properties: { templateFile: `${name}.template.json`, stackName: name },
    };
  }
  artifacts['assets'] = { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } };
  writeJson(join(folder, 'manifest.json'), { version: '55.0.0', artifacts });
  const destinations = (objectKey: string) => ({ here: { bucketName: 'assets', objectKey } });
  writeJson(join(folder, 'assets.json'), {
    files: {
      code: { source: { path: 'asset.code', packaging: 'zip' }, destinations: destinations('code.zip') },
      gone: { source: { path: 'asset.gone', packaging: 'zip' }, destinations: destinations('gone.zip') },
    },
  });
  mkdirSync(join(folder, 'asset.code'));
  for (const [file, text] of Object.entries(asset)) writeFileSync(join(folder, 'asset.code', file), text);
  return folder;
}

export function removeAssemblies(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

const FUNCTION_ARN = { 'Fn::GetAtt': ['Fn', 'Arn'] };
const INVOCATION = {
  'Fn::Join': [
    '',
    ['arn:aws:apigateway:', { Ref: 'AWS::Region' }, ':lambda:path/2015-03-31/functions/', FUNCTION_ARN, '/invocations'],
  ],
};

/** The smallest app that can be run: one function behind `$default`. */
export function smallestApp(): HandMade & {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
} {
  return {
    Resources: {
      Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [{ Ref: 'Policy' }] } },
      Policy: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          PolicyDocument: { Statement: [{ Sid: 'One', Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*' }] },
        },
      },
      Fn: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'fn',
          Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
          Handler: 'index.handler',
          Runtime: 'nodejs24.x',
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
        },
      },
      Api: {
        Type: 'AWS::ApiGatewayV2::Api',
        Properties: { Name: 'api', ProtocolType: 'WEBSOCKET', RouteSelectionExpression: '$request.body.action' },
      },
      Integration: {
        Type: 'AWS::ApiGatewayV2::Integration',
        Properties: { ApiId: { Ref: 'Api' }, IntegrationType: 'AWS_PROXY', IntegrationUri: INVOCATION },
      },
      Route: {
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: {
          ApiId: { Ref: 'Api' },
          RouteKey: '$default',
          AuthorizationType: 'NONE',
          Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'Integration' }]] },
        },
      },
      Stage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: { Ref: 'Api' }, StageName: 'test' } },
    },
  };
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value));
}
