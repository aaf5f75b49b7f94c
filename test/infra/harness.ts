import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { newApp } from '../../lib/app.ts';
import { deployParley } from '../../lib/deployment.ts';
import { STAGES, type StageName } from '../../lib/stages.ts';

export const STACKS = ['network', 'data', 'stream', 'edge', 'realtime'] as const;
export type StackName = (typeof STACKS)[number];

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

export const INPUT = {
  identity: { issuer: 'https://issuer.example', audience: 'parley' },
  allowedOrigins: ['https://chat.example'],
};

// Seconds of CPU for every template; the whole app is validated by the command that synthesizes it.
process.env['CDK_VALIDATION'] = 'false';

const synthesized = new Map<StageName, Record<StackName, Template>>();

/** The templates of a stage, made once a test file, with a stand-in for the bundles. */
export function templatesOf(stage: StageName): Record<StackName, Template> {
  const present = synthesized.get(stage);
  if (present) return present;
  const outdir = mkdtempSync(join(tmpdir(), 'parley-synth-'));
  try {
    const app = newApp(outdir);
    const stacks = deployParley(app, STAGES[stage](INPUT), () => lambda.Code.fromInline('exports.handler = () => {};'));
    const templates = Object.fromEntries(
      STACKS.map((name) => [name, Template.fromStack(stacks[name])] as const),
    ) as Record<StackName, Template>;
    synthesized.set(stage, templates);
    return templates;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The resources of a stack, by logical id; of one type, when that is given. */
export function resourcesOf(stage: StageName, stack: StackName, type?: string): [string, Resource][] {
  const { Resources } = templatesOf(stage)[stack].toJSON() as { Resources: Record<string, Resource> };
  return Object.entries(Resources).filter(([, resource]) => type === undefined || resource.Type === type);
}

export function allResources(stage: StageName, type?: string): [string, Resource][] {
  return STACKS.flatMap((stack) => resourcesOf(stage, stack, type));
}

/** A value of a template as a readable text: `<LogicalId>`, `<LogicalId.Attribute>`, `<AWS::Region>`, imports by the name of the export. */
export function text(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(text).join(',');
  const [[intrinsic, operand] = ['', undefined]] = Object.entries(value);
  const list = operand as unknown[];
  switch (intrinsic) {
    case 'Ref':
      return `<${String(operand)}>`;
    case 'Fn::GetAtt':
      return `<${list.join('.')}>`;
    case 'Fn::ImportValue':
      return `<${text(operand).replace(/^.*:ExportsOutput(Ref|FnGetAtt)/, '')}>`;
    case 'Fn::Join':
      return (list[1] as unknown[]).map(text).join(String(list[0]));
    case 'Fn::Select':
      return `select ${text(list[0])} of ${text(list[1])}`;
    case 'Fn::Split':
      return `${text(list[1])} by ${text(list[0])}`;
    default:
      return JSON.stringify(value);
  }
}
