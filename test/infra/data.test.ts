import { Match } from 'aws-cdk-lib/assertions';
import { CQL_TABLES, DYNAMO_TABLES } from '@parley/protocol/stores';
import { resourcesOf, templatesOf } from './harness.ts';

describe('the data stack', () => {
  it('has the tables of the message log as the plain data says', () => {
    const tables = resourcesOf('prod', 'data', 'AWS::Cassandra::Table').map(([, { Properties }]) => Properties);
    expect(tables.map(({ TableName }) => TableName)).toEqual(Object.keys(CQL_TABLES));
    const { partitionKey, columns } = CQL_TABLES.messages;
    const toColumns = (named: Record<string, string>) =>
      Object.entries(named).map(([ColumnName, ColumnType]) => ({ ColumnName, ColumnType }));
    expect(tables[0]).toMatchObject({
      KeyspaceName: 'parley_prod',
      PartitionKeyColumns: toColumns(partitionKey),
      ClusteringKeyColumns: [{ Column: { ColumnName: 'message_id', ColumnType: 'bigint' }, OrderBy: 'DESC' }],
      RegularColumns: toColumns(columns),
    });
  });

  it('keeps entries a year, recoverable, and by no clock of a writer', () => {
    templatesOf('small').data.hasResourceProperties('AWS::Cassandra::Table', {
      DefaultTimeToLive: 365 * 24 * 60 * 60,
      PointInTimeRecoveryEnabled: true,
      ClientSideTimestampsEnabled: false,
      EncryptionSpecification: { EncryptionType: 'CUSTOMER_MANAGED_KMS_KEY' },
    });
  });

  it('has the DynamoDB tables as the plain data says, under a key of ours', () => {
    const tables = resourcesOf('prod', 'data', 'AWS::DynamoDB::Table').map(([, { Properties }]) => Properties);
    expect(tables.map(({ TableName }) => TableName)).toEqual(
      Object.keys(DYNAMO_TABLES).map((name) => `parley-prod-${name}`),
    );
    for (const { SSESpecification, BillingMode } of tables) {
      expect(SSESpecification).toMatchObject({
        SSEEnabled: true,
        SSEType: 'KMS',
        KMSMasterKeyId: expect.anything() as unknown,
      });
      expect(BillingMode).toBe('PAY_PER_REQUEST');
    }
  });

  it('streams the dedupe rows and lets rows end that only count for a while', () => {
    const { data } = templatesOf('small');
    data.hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'parley-small-sends',
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    data.hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'parley-small-directory',
      TimeToLiveSpecification: Match.absent(),
    });
  });

  it('outlives its stack in prod, and goes with it in small', () => {
    const policies = (stage: 'small' | 'prod') =>
      new Set(
        resourcesOf(stage, 'data')
          .filter(isStore)
          .map(([, { DeletionPolicy }]) => DeletionPolicy),
      );
    expect(policies('prod')).toEqual(new Set(['Retain']));
    expect(policies('small')).toEqual(new Set(['Delete']));
  });

  it('protects the directory of prod against deletion and bad writes', () => {
    const directory = (stage: string, isProtected: boolean) => ({
      TableName: `parley-${stage}-directory`,
      DeletionProtectionEnabled: isProtected,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    templatesOf('prod').data.hasResourceProperties('AWS::DynamoDB::Table', directory('prod', true));
    templatesOf('small').data.hasResourceProperties('AWS::DynamoDB::Table', directory('small', false));
  });
});

function isStore([, { Type }]: [string, { Type: string }]): boolean {
  return /^AWS::(Cassandra|DynamoDB|KMS)::/.test(Type);
}
