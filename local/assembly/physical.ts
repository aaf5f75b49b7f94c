import { createHash } from 'node:crypto';
import type { Properties } from './resolver.ts';

/** Where the assembly pretends to be deployed. */
export interface Identity {
  readonly region: string;
  readonly accountId: string;
  readonly partition: string;
  readonly urlSuffix: string;
}

/** The property that names a resource of a type. Where a template names none, CloudFormation makes one up. */
const NAME_PROPERTIES: Readonly<Record<string, string>> = {
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::Cassandra::Keyspace': 'KeyspaceName',
  'AWS::Cassandra::Table': 'TableName',
  'AWS::MSK::Cluster': 'ClusterName',
  'AWS::MSK::Topic': 'TopicName',
  'AWS::MSK::Configuration': 'Name',
  'AWS::ElastiCache::ServerlessCache': 'ServerlessCacheName',
  'AWS::ElastiCache::User': 'UserId',
  'AWS::ElastiCache::UserGroup': 'UserGroupId',
  'AWS::ApiGatewayV2::Stage': 'StageName',
  'AWS::SNS::Topic': 'TopicName',
};

/** Types whose `Ref` is their ARN. */
const REF_IS_ARN = new Set([
  'AWS::IAM::ManagedPolicy',
  'AWS::MSK::Cluster',
  'AWS::MSK::Topic',
  'AWS::MSK::Configuration',
  'AWS::SNS::Topic',
]);

const API_ID_CHARS = 10;
const MADE_UP_CHARS = 12;

/** What `Ref` gives for a resource. The same template always gives the same. */
export function refOf(at: Identity, type: string, stack: string, id: string, properties: Properties): string {
  if (REF_IS_ARN.has(type)) return arnOf(at, type, stack, id, properties);
  const name = nameOf(type, stack, id, properties);
  return type === 'AWS::SQS::Queue' ? queueUrl(at, name) : name;
}

/** What `Fn::GetAtt` gives. Types and attributes that nothing here reads get a text that says what it stands for. */
export function attributeOf(
  at: Identity,
  type: string,
  stack: string,
  id: string,
  properties: Properties,
  attribute: string,
): string {
  const name = nameOf(type, stack, id, properties);
  switch (`${type} ${attribute}`) {
    case 'AWS::ApiGatewayV2::Api ApiEndpoint':
      return `wss://${name}.execute-api.${at.region}.${at.urlSuffix}`;
    case 'AWS::DynamoDB::Table StreamArn':
      return `${arnOf(at, type, stack, id, properties)}/stream/local`;
    case 'AWS::ElastiCache::ServerlessCache Endpoint.Address':
      return `${name}.serverless.cache.${at.region}.${at.urlSuffix}`;
    case 'AWS::ElastiCache::ServerlessCache Endpoint.Port':
      return '6379';
    case 'AWS::SQS::Queue QueueName':
      return name;
    case 'AWS::SQS::Queue QueueUrl':
      return queueUrl(at, name);
    case 'AWS::Logs::LogGroup Arn':
      return `${arnOf(at, type, stack, id, properties)}:*`;
    default:
      return attribute.endsWith('Arn') ? arnOf(at, type, stack, id, properties) : `${name}.${attribute.toLowerCase()}`;
  }
}

function nameOf(type: string, stack: string, id: string, properties: Properties): string {
  const given = properties[NAME_PROPERTIES[type] ?? ''];
  if (typeof given === 'string') return given;
  const hash = createHash('sha256').update(`${stack}/${id}`).digest('hex');
  if (type === 'AWS::ApiGatewayV2::Api') return hash.slice(0, API_ID_CHARS);
  if (type === 'AWS::S3::Bucket') return `${stack}-${id}-${hash.slice(0, MADE_UP_CHARS)}`.toLowerCase();
  return `${stack}-${id}-${hash.slice(0, MADE_UP_CHARS)}`;
}

function arnOf(at: Identity, type: string, stack: string, id: string, properties: Properties): string {
  const name = nameOf(type, stack, id, properties);
  const arn = (service: string, resource: string): string =>
    `arn:${at.partition}:${service}:${at.region}:${at.accountId}:${resource}`;
  switch (type) {
    case 'AWS::Lambda::Function':
      return arn('lambda', `function:${name}`);
    case 'AWS::DynamoDB::Table':
      return arn('dynamodb', `table/${name}`);
    case 'AWS::SQS::Queue':
      return arn('sqs', name);
    case 'AWS::SNS::Topic':
      return arn('sns', name);
    case 'AWS::S3::Bucket':
      return `arn:${at.partition}:s3:::${name}`;
    case 'AWS::IAM::Role':
      return `arn:${at.partition}:iam::${at.accountId}:role/${name}`;
    case 'AWS::IAM::ManagedPolicy':
      return `arn:${at.partition}:iam::${at.accountId}:policy/${name}`;
    case 'AWS::Logs::LogGroup':
      return arn('logs', `log-group:${name}`);
    case 'AWS::KMS::Key':
      return arn('kms', `key/${name}`);
    case 'AWS::MSK::Cluster':
      return arn('kafka', `cluster/${name}/local`);
    default:
      return arn((type.split('::')[1] ?? type).toLowerCase(), `${stack}/${id}`);
  }
}

function queueUrl({ region, urlSuffix, accountId }: Identity, name: string): string {
  return `https://sqs.${region}.${urlSuffix}/${accountId}/${name}`;
}
