import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { floorOf } from '../../lib/prices.ts';
import { STAGES } from '../../lib/stages.ts';
import { allResources, INPUT, resourcesOf, STACKS, templatesOf } from './harness.ts';

const STAGE_NAMES = ['small', 'prod'] as const;

/** The stacks that a stack imports something from. */
function importsOf(stage: (typeof STAGE_NAMES)[number], stack: (typeof STACKS)[number]): string[] {
  const found = JSON.stringify(templatesOf(stage)[stack].toJSON()).matchAll(/"Fn::ImportValue":"parley-\w+-(\w+):/g);
  return [...new Set([...found].map(([, name]) => String(name)))];
}

describe.each(STAGE_NAMES)('the stacks of %s', (stage) => {
  it('need only those before them', () => {
    const needed = Object.fromEntries(STACKS.map((stack) => [stack, importsOf(stage, stack).sort()]));
    expect(needed).toEqual({
      network: [],
      data: ['network'],
      stream: ['network'],
      edge: [],
      realtime: ['data', 'edge', 'network', 'stream'],
    });
  });

  it('hold no type of resource without a purpose in docs/resources.md, which names no other', () => {
    const table = readFileSync(join(process.cwd(), 'docs', 'resources.md'), 'utf8');
    const named = [...table.matchAll(/^\| `([\w:]+)` +\| ([\w, ]+?) +\| \S.+ \|$/gm)].flatMap(([, type, stacks]) =>
      String(stacks)
        .split(', ')
        .map((stack) => `${stack} ${String(type)}`),
    );
    const deployed = STACKS.flatMap((stack) => resourcesOf(stage, stack).map(([, { Type }]) => `${stack} ${Type}`));
    expect(named.length).toBeGreaterThan(30);
    expect(named.sort()).toEqual([...new Set(deployed)].sort());
  });

  it('cost at rest what the floor counts', () => {
    const { kafka, network } = STAGES[stage](INPUT);
    const counted = Object.fromEntries(floorOf(STAGES[stage](INPUT)).map(({ item, count }) => [item, count]));
    const endpoints = allResources(stage, 'AWS::EC2::VPCEndpoint').filter(
      ([, { Properties }]) => Properties['VpcEndpointType'] === 'Interface',
    );
    const groups = allResources(stage, 'AWS::Lambda::EventSourceMapping')
      .map(([, { Properties }]) => Properties['ProvisionedPollerConfig'] as { PollerGroupName: string } | undefined)
      .flatMap((config) => (config ? [config.PollerGroupName] : []));
    expect(counted).toEqual({
      [`brokers ${kafka.instanceType}`]: kafka.brokers,
      'broker storage, GiB': kafka.brokers * kafka.volumeGiB,
      'interface endpoints × zones': endpoints.length * network.endpointZones,
      'Valkey, serverless, its minimum': allResources(stage, 'AWS::ElastiCache::ServerlessCache').length,
      ...(groups.length > 0 && { 'poller groups': new Set(groups).size }),
      'KMS keys': allResources(stage, 'AWS::KMS::Key').length,
    });
  });
});
