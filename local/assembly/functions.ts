import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fields } from './fields.ts';
import { attributeOf, type Identity } from './physical.ts';
import { policiesOfRoles, type Statement } from './policies.ts';
import type { Resource } from './resolver.ts';

export interface FunctionDefinition {
  readonly name: string;
  readonly arn: string;
  /** Where the template has it: `{stack}/{logicalId}`. */
  readonly where: string;
  /** The folder of its bundle. */
  readonly codeDir: string;
  /** `{file}.{export}` */
  readonly handler: string;
  /** For example `nodejs24.x`. */
  readonly runtime: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly timeoutMs: number;
  readonly reservedConcurrency?: number;
  readonly logGroup: string;
  readonly roleArn: string;
  /** All statements of the policies of its role. */
  readonly statements: readonly Statement[];
  /** Who else may invoke it: the resource policy. */
  readonly permissions: readonly Permission[];
}

export interface Permission {
  readonly action: string;
  readonly principal: string;
  /** Without it every source of the principal may. */
  readonly sourceArn?: string;
}

/** What Lambda takes when the template says nothing. */
const DEFAULTS = { memoryMiB: 128, timeoutSeconds: 3 };
/** Files that lie beside a project, never beside a bundle. */
const PROJECT_FILES = ['package.json', 'cdk.json'];
const HANDLER_EXTENSIONS = ['', '.js', '.mjs', '.cjs'];

/** The functions of the app, by name. @throws {AssemblyError} */
export function extractFunctions(
  resources: readonly Resource[],
  assets: ReadonlyMap<string, string>,
  at: Identity,
): Map<string, FunctionDefinition> {
  const statementsOf = policiesOfRoles(resources, at);
  const permissions = resources.filter(({ type }) => type === 'AWS::Lambda::Permission').map(readPermission);
  const functions = resources.filter(({ type }) => type === 'AWS::Lambda::Function');
  return new Map(
    functions.map((resource) => {
      const fields = Fields.of(resource);
      const { stackName, logicalId, ref: name, type, properties } = resource;
      const arn = attributeOf(at, type, stackName, logicalId, properties, 'Arn');
      const runtime = fields.text('Runtime');
      if (!runtime.startsWith('nodejs')) fields.fail('Runtime', `${runtime} is not run here: only Node.js is.`);
      const handler = fields.text('Handler');
      const reservedConcurrency = fields.optionalNumber('ReservedConcurrentExecutions');
      const roleArn = fields.text('Role');
      const definition: FunctionDefinition = {
        name,
        arn,
        where: `${stackName}/${logicalId}`,
        codeDir: codeDirOf(fields, handler, assets),
        handler,
        runtime,
        environment: environmentOf(fields),
        memoryMiB: fields.optionalNumber('MemorySize') ?? DEFAULTS.memoryMiB,
        timeoutMs: (fields.optionalNumber('Timeout') ?? DEFAULTS.timeoutSeconds) * 1_000,
        ...(reservedConcurrency !== undefined && { reservedConcurrency }),
        logGroup: fields.optionalObject('LoggingConfig')?.optionalText('LogGroup') ?? `/aws/lambda/${name}`,
        roleArn,
        statements: statementsOf(roleArn, fields),
        permissions: permissions.filter((permission) => permission.of === name || permission.of === arn),
      };
      return [name, definition];
    }),
  );
}

function codeDirOf(fields: Fields, handler: string, assets: ReadonlyMap<string, string>): string {
  const key = fields.object('Code').optionalText('S3Key');
  if (key === undefined) return fields.fail('Code', 'is no file asset. Bundle the function into a folder.');
  const dir = assets.get(key);
  if (dir === undefined) return fields.fail('Code', `the asset ${key} is in no asset manifest. Synthesize again.`);
  if (!existsSync(dir)) return fields.fail('Code', `the asset ${dir} is missing. Synthesize again.`);
  const foreign = PROJECT_FILES.find((file) => existsSync(join(dir, file)));
  if (foreign !== undefined) {
    return fields.fail(
      'Code',
      `the asset ${dir} holds ${foreign}: it was not bundled. Synthesize again, with bundling.`,
    );
  }
  const file = handler.slice(0, handler.lastIndexOf('.'));
  if (
    !handler.includes('.') ||
    handler.includes('..') ||
    !HANDLER_EXTENSIONS.some((end) => existsSync(join(dir, file + end)))
  ) {
    return fields.fail('Handler', `the asset ${dir} holds no file for ${handler}. Synthesize again.`);
  }
  return dir;
}

function environmentOf(fields: Fields): Record<string, string> {
  const variables = fields.optionalObject('Environment')?.optionalObject('Variables');
  return Object.fromEntries((variables?.keys() ?? []).map((name) => [name, variables?.text(name) ?? '']));
}

function readPermission(resource: Resource): Permission & { of: string } {
  const fields = Fields.of(resource);
  const sourceArn = fields.optionalText('SourceArn');
  return {
    of: fields.text('FunctionName'),
    action: fields.text('Action'),
    principal: fields.text('Principal'),
    ...(sourceArn !== undefined && { sourceArn }),
  };
}
