import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDeployedApp } from '../../local/assembly/deployed-app.ts';
import { removeAssemblies, smallestApp, writeAssembly } from './assemblies.ts';

afterAll(removeAssemblies);

/** What an app is refused with once `change` has broken it. */
function refusalOf(change: (app: ReturnType<typeof smallestApp>) => void, asset?: Record<string, string>): string {
  const app = smallestApp();
  change(app);
  try {
    readDeployedApp(writeAssembly({ app }, asset));
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'it was taken';
}

const set = (id: string, property: string, value: unknown) => (app: ReturnType<typeof smallestApp>) => {
  app.Resources[id]!.Properties[property] = value;
};
const drop = (id: string) => (app: ReturnType<typeof smallestApp>) => {
  Reflect.deleteProperty(app.Resources, id);
};
const statement = (part: object) =>
  set('Policy', 'PolicyDocument', { Statement: [{ Effect: 'Allow', Action: 'a:B', Resource: '*', ...part }] });
const mapping = (properties: object) => (app: ReturnType<typeof smallestApp>) => {
  app.Resources['Mapping'] = {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      FunctionName: 'fn',
      EventSourceArn: 'arn:aws:kafka:r:a:cluster/c/u',
      StartingPosition: 'LATEST',
      Topics: ['t'],
      ...properties,
    },
  };
};

describe('an assembly that cannot be run', () => {
  it('does not begin with one that can', () => {
    expect(refusalOf(() => undefined)).toBe('it was taken');
    expect(refusalOf(mapping({}))).toBe('it was taken');
  });

  it.each([
    [
      'unknown intrinsic',
      set('Fn', 'Description', { 'Fn::Cidr': ['10.0.0.0/16', 1, 8] }),
      /^AssemblyError: app\/Fn\.Description: the intrinsic Fn::Cidr is not known here/,
    ],
    [
      'asset in no manifest',
      set('Fn', 'Code', { S3Key: 'other.zip' }),
      /^AssemblyError: app\/Fn\.Code: the asset other\.zip is in no asset manifest\. Synthesize again\.$/,
    ],
    [
      'missing asset',
      set('Fn', 'Code', { S3Key: 'gone.zip' }),
      /^AssemblyError: app\/Fn\.Code: the asset .*asset\.gone is missing\. Synthesize again\.$/,
    ],
    ['inline code', set('Fn', 'Code', { ZipFile: '' }), /app\/Fn\.Code: is no file asset/],
    [
      'no file for the handler',
      set('Fn', 'Handler', 'main.handler'),
      /app\/Fn\.Handler: the asset .* holds no file for main\.handler/,
    ],
    ['handler outside', set('Fn', 'Handler', '../index.handler'), /app\/Fn\.Handler: .* holds no file/],
    ['handler without export', set('Fn', 'Handler', 'index'), /app\/Fn\.Handler: .* holds no file/],
    [
      'other runtime',
      set('Fn', 'Runtime', 'python3.13'),
      /app\/Fn\.Runtime: python3\.13 is not run here: only Node\.js is\./,
    ],
    ['no role', set('Fn', 'Role', 'arn:aws:iam::1:role/other'), /app\/Fn\.Role: .* is no role of the template/],
    [
      'foreign policy',
      set('Role', 'ManagedPolicyArns', ['arn:aws:iam::aws:policy/Admin']),
      /app\/Role\.ManagedPolicyArns: .* is not in the template/,
    ],
    [
      'unknown condition',
      statement({ Condition: { IpAddress: { 'aws:SourceIp': '1' } } }),
      /app\/Policy\.PolicyDocument\.Statement\[0\]\.Condition\.IpAddress: is an operator that is not evaluated here\./,
    ],
    [
      'unknown condition key',
      statement({ Condition: { StringEquals: { 'aws:Foo': '1' } } }),
      /StringEquals\.aws:Foo: is a condition key that is not evaluated here\./,
    ],
    ['NotAction', statement({ NotAction: 'a:C' }), /Statement\[0\]\.NotAction: is not evaluated here/],
    ['no API', drop('Api'), /refers to "Api", which is not in the template/],
    [
      'HTTP API',
      set('Api', 'ProtocolType', 'HTTP'),
      /^AssemblyError: the app: has 0 WebSocket APIs\. Exactly one is run here\.$/,
    ],
    ['no stage', drop('Stage'), /app\/Api: has no stage/],
    [
      'route without an integration',
      set('Route', 'Target', 'integrations/other'),
      /app\/Route\.Target: the route \$default leads to no integration of the API, so to no function\.$/,
    ],
    [
      'route without a target',
      set('Route', 'Target', undefined),
      /app\/Route\.Target: the route \$default leads to no integration/,
    ],
    [
      'integration without a function',
      set('Integration', 'IntegrationUri', 'arn:aws:apigateway:r:lambda:path/2015-03-31/functions/arn:x/invocations'),
      /app\/Integration\.IntegrationUri: arn:x is no function of the app\.$/,
    ],
    [
      'mock integration',
      set('Integration', 'IntegrationType', 'MOCK'),
      /app\/Integration\.IntegrationType: MOCK is not run here/,
    ],
    [
      'IAM authorization',
      set('Route', 'AuthorizationType', 'AWS_IAM'),
      /app\/Route\.AuthorizationType: AWS_IAM on \$default is not run here/,
    ],
    [
      'mapping to no function',
      mapping({ FunctionName: 'other' }),
      /app\/Mapping\.FunctionName: other is no function of the app/,
    ],
    [
      'mapping from elsewhere',
      mapping({ EventSourceArn: 'arn:aws:kinesis:r:a:stream/s' }),
      /app\/Mapping\.EventSourceArn: .* is not run here: only Kafka and DynamoDB streams are\./,
    ],
    ['mapping without a topic', mapping({ Topics: [] }), /app\/Mapping\.Topics: is missing\./],
    [
      'mapping from an instant',
      mapping({ StartingPosition: 'AT_TIMESTAMP' }),
      /app\/Mapping\.StartingPosition: AT_TIMESTAMP is not run here/,
    ],
    ['number that is none', set('Fn', 'Timeout', 'long'), /app\/Fn\.Timeout: is no number\./],
  ])('is refused in one line: %s', (_, change, message) => {
    const refusal = refusalOf(change);
    expect(refusal).toMatch(message);
    expect(refusal).not.toContain('\n');
  });

  it.each(['package.json', 'cdk.json'])('is refused when code was not bundled: the asset holds %s', (file) => {
    const refusal = refusalOf(() => undefined, { 'index.mjs': '', [file]: '{}' });
    expect(refusal).toMatch(new RegExp(`app/Fn\\.Code: the asset .* holds ${file}: it was not bundled`));
  });

  it('is refused when a stack is nested', () => {
    const nested = refusalOf((app) => {
      app.Resources['Nested'] = { Type: 'AWS::CloudFormation::Stack', Properties: {} };
    });
    expect(nested).toBe('AssemblyError: app/Nested: nested stacks are not run here. Make it a stack of the app.');
  });

  it('is refused when it is no assembly, or half of one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-none-'));
    expect(() => readDeployedApp(folder)).toThrow(
      `${folder}: no manifest.json in here. Synthesize first: npx cdk synth`,
    );
    writeFileSync(join(folder, 'manifest.json'), '{');
    expect(() => readDeployedApp(folder)).toThrow(/manifest\.json: is no JSON/);
    writeFileSync(join(folder, 'manifest.json'), '{"artifacts":{}}');
    expect(() => readDeployedApp(folder)).toThrow(/manifest\.json: holds no stack/);
    const artifacts = { s: { type: 'aws:cloudformation:stack', properties: { templateFile: 's.json' } } };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts }));
    expect(() => readDeployedApp(folder)).toThrow(/s\.json: is missing\. Synthesize again\./);
    rmSync(folder, { recursive: true });
  });
});
