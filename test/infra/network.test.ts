import { allResources, resourcesOf } from './harness.ts';

const STAGE_NAMES = ['small', 'prod'] as const;

const WAYS_OUT = [
  'AWS::EC2::InternetGateway',
  'AWS::EC2::EgressOnlyInternetGateway',
  'AWS::EC2::NatGateway',
  'AWS::EC2::EIP',
  'AWS::EC2::Route',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::EC2::VPCPeeringConnection',
  'AWS::EC2::TransitGatewayAttachment',
  'AWS::EC2::VPNGateway',
];

describe.each(STAGE_NAMES)('the network of %s', (stage) => {
  it('has no way out', () => {
    const types = allResources(stage).map(([, { Type }]) => Type);
    expect(types.length).toBeGreaterThan(100);
    expect(types.filter((type) => WAYS_OUT.includes(type))).toEqual([]);
  });

  it('has an isolated subnet in each of three zones', () => {
    const subnets = resourcesOf(stage, 'network', 'AWS::EC2::Subnet').map(([, { Properties }]) => Properties);
    expect(subnets).toHaveLength(3);
    expect(new Set(subnets.map(({ AvailabilityZone }) => JSON.stringify(AvailabilityZone))).size).toBe(3);
    expect(subnets.every(({ MapPublicIpOnLaunch }) => MapPublicIpOnLaunch === false)).toBe(true);
  });

  it('reaches DynamoDB and S3 of this account only', () => {
    const endpoints = resourcesOf(stage, 'network', 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) => Properties);
    expect(endpoints).toHaveLength(2);
    for (const { VpcEndpointType, PolicyDocument } of endpoints) {
      expect(VpcEndpointType).toBe('Gateway');
      expect(PolicyDocument).toMatchObject({
        Statement: [
          {
            Condition: {
              StringEquals: {
                'aws:PrincipalAccount': { Ref: 'AWS::AccountId' },
                'aws:ResourceAccount': { Ref: 'AWS::AccountId' },
              },
            },
          },
        ],
      });
    }
  });

  it('limits every interface endpoint to named calls on named resources', () => {
    const endpoints = [...resourcesOf(stage, 'data'), ...resourcesOf(stage, 'realtime')]
      .filter(([, { Type }]) => Type === 'AWS::EC2::VPCEndpoint')
      .map(([, { Properties }]) => Properties);
    expect(endpoints).toHaveLength(stage === 'small' ? 3 : 2);
    for (const { PolicyDocument, SubnetIds } of endpoints) {
      const { Statement } = PolicyDocument as { Statement: { Action: string | string[]; Resource: unknown }[] };
      for (const { Action, Resource } of Statement) {
        expect([Action].flat().filter((action) => action.includes('*'))).toEqual([]);
        expect(Resource).not.toBe('*');
      }
      expect(SubnetIds).toHaveLength(stage === 'small' ? 1 : 3);
    }
  });

  it('opens one port in every rule, and none to the internet', () => {
    const groups = allResources(stage, 'AWS::EC2::SecurityGroup').map(([, { Properties }]) => Properties);
    const inline = groups.flatMap(({ SecurityGroupEgress, SecurityGroupIngress }) => [
      ...((SecurityGroupEgress ?? []) as object[]),
      ...((SecurityGroupIngress ?? []) as object[]),
    ]);
    const single = ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress'].flatMap((type) =>
      allResources(stage, type).map(([, { Properties }]) => Properties),
    );
    const rules = [...inline, ...single] as Record<string, unknown>[];
    expect(rules.length).toBeGreaterThan(groups.length);
    for (const { IpProtocol, FromPort, ToPort, Description } of rules) {
      expect(IpProtocol).toBe('tcp');
      expect(FromPort).toBe(ToPort);
      expect(Description).toEqual(expect.any(String));
    }
    expect(groups.flatMap(({ SecurityGroupIngress }) => SecurityGroupIngress ?? [])).toEqual([]);
    expect(single.filter(({ CidrIp }) => CidrIp !== undefined)).toEqual([]);
  });

  it('puts into the VPC just the functions that need something in it', () => {
    const inVpc = allResources(stage, 'AWS::Lambda::Function')
      .filter(([, { Properties }]) => Properties['VpcConfig'] !== undefined)
      .map(([, { Properties }]) => Properties['FunctionName']);
    const expected = ['conversation', 'heartbeat', 'receipt', 'repair', 'send', 'sync'].map(
      (name) => `parley-${stage}-${name}`,
    );
    expect(inVpc.sort()).toEqual(expected);
  });
});
