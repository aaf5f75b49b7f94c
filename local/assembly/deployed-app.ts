import { AssemblyError } from './assembly-error.ts';
import { readAssembly } from './assembly.ts';
import { extractFunctions, type FunctionDefinition } from './functions.ts';
import type { Identity } from './physical.ts';
import { Resolver, type Deployment, type Resource } from './resolver.ts';
import { extractSocketApi, type SocketApiDefinition } from './socket-api.ts';
import { extractMappings, type MappingDefinition } from './mappings.ts';
import { extractStores, type Stores } from './stores.ts';

/** What a synthesized app says to run. */
export interface DeployedApp {
  readonly at: Identity;
  readonly api: SocketApiDefinition;
  /** By name. */
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly mappings: readonly MappingDefinition[];
  readonly stores: Stores;
}

export const DEFAULT_DEPLOYMENT: Identity = {
  region: 'eu-west-1',
  accountId: '000000000000',
  partition: 'aws',
  urlSuffix: 'amazonaws.com',
};

/**
 * Reads the assembly in `folder`, as `cdk synth` wrote it, and resolves it as if it were deployed.
 * @throws {AssemblyError} one line that names resource and path: an intrinsic that is not known, code that is missing or not bundled, a
 * route without a function …
 */
export function readDeployedApp(folder: string, deployment: Deployment = DEFAULT_DEPLOYMENT): DeployedApp {
  const stacks = readAssembly(folder);
  const exported = new Map<string, unknown>();
  const resources = stacks.flatMap(({ stackName, template }) =>
    new Resolver(stackName, template, exported, deployment).resources(),
  );
  const nested = resources.find(({ type }) => type === 'AWS::CloudFormation::Stack');
  if (nested) throw new AssemblyError(whereOf(nested), 'nested stacks are not run here. Make it a stack of the app.');
  const assets = stacks[0]?.assets ?? new Map<string, string>();
  const functions = extractFunctions(resources, assets, deployment);
  const { region, accountId, partition, urlSuffix } = deployment;
  return {
    at: { region, accountId, partition, urlSuffix },
    api: extractSocketApi(resources, functions),
    functions,
    mappings: extractMappings(resources, functions),
    stores: extractStores(resources, deployment),
  };
}

export function whereOf({ stackName, logicalId }: Resource): string {
  return `${stackName}/${logicalId}`;
}
