import { DEFAULT_DEPLOYMENT } from '../../local/assembly/deployed-app.ts';
import { Resolver, type Deployment, type Template } from '../../local/assembly/resolver.ts';

const TABLE = { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'items' } };

/** What a value becomes in a template that has a little of everything. */
function resolve(value: unknown, template: Partial<Template> = {}, deployment: Partial<Deployment> = {}): unknown {
  const whole: Template = {
    Parameters: { Size: { Default: 'large' }, Unset: {} },
    Conditions: {
      Yes: { 'Fn::Equals': ['a', 'a'] },
      No: { 'Fn::Not': [{ Condition: 'Yes' }] },
      Both: { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] },
      Either: { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] },
    },
    Mappings: { Sizes: { large: { memory: 1_024 } } },
    ...template,
    Resources: {
      Table: TABLE,
      Unnamed: { Type: 'AWS::SQS::Queue' },
      Custom: { Type: 'Custom::Thing' },
      Absent: { Type: 'AWS::SQS::Queue', Condition: 'No' },
      Probe: { Type: 'Test::Probe', Properties: { value } },
      ...template.Resources,
    },
  };
  const resolver = new Resolver('stack', whole, new Map([['shared', 'from before']]), {
    ...DEFAULT_DEPLOYMENT,
    ...deployment,
  });
  return resolver.resources().find(({ logicalId }) => logicalId === 'Probe')?.properties['value'];
}

describe('the resolver', () => {
  it.each<[unknown, unknown]>([
    [{ Ref: 'AWS::Region' }, 'eu-west-1'],
    [{ Ref: 'AWS::AccountId' }, '000000000000'],
    [{ Ref: 'AWS::Partition' }, 'aws'],
    [{ Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
    [{ Ref: 'AWS::StackName' }, 'stack'],
    [{ Ref: 'Size' }, 'large'],
    [{ Ref: 'Table' }, 'items'],
    [{ 'Fn::GetAtt': ['Table', 'Arn'] }, 'arn:aws:dynamodb:eu-west-1:000000000000:table/items'],
    [{ 'Fn::GetAtt': 'Table.Arn' }, 'arn:aws:dynamodb:eu-west-1:000000000000:table/items'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'Table' }, 3]] }, 'a-items-3'],
    [
      { 'Fn::Sub': '${Table}/${Table.Arn}/${!Literal}' },
      'items/arn:aws:dynamodb:eu-west-1:000000000000:table/items/${Literal}',
    ],
    [{ 'Fn::Sub': ['${own} ${Size}', { own: { Ref: 'Table' } }] }, 'items large'],
    [{ 'Fn::Select': [1, { 'Fn::Split': [',', 'a,b,c'] }] }, 'b'],
    [{ 'Fn::Select': ['0', { 'Fn::GetAZs': '' }] }, 'eu-west-1a'],
    [{ 'Fn::If': ['Yes', 'then', 'else'] }, 'then'],
    [{ 'Fn::If': ['Both', 'then', 'else'] }, 'else'],
    [{ 'Fn::If': ['Either', 'then', 'else'] }, 'then'],
    [{ 'Fn::FindInMap': ['Sizes', { Ref: 'Size' }, 'memory'] }, 1_024],
    [{ 'Fn::ImportValue': 'shared' }, 'from before'],
    [{ 'Fn::ImportValue': { 'Fn::Sub': 'shared' } }, 'from before'],
    [{ 'Fn::Base64': 'text' }, 'dGV4dA=='],
    [{ kept: 1, dropped: { Ref: 'AWS::NoValue' } }, { kept: 1 }],
    [['a', { 'Fn::If': ['No', 'b', { Ref: 'AWS::NoValue' }] }], ['a']],
    [
      { Ref: 'Table', beside: 1 },
      { Ref: 'Table', beside: 1 },
    ],
  ])('makes of %j: %j', (value, resolved) => {
    expect(resolve(value)).toEqual(resolved);
  });

  it.each<[unknown, string]>([
    [
      { 'Fn::Transform': {} },
      'stack/Probe.value: the intrinsic Fn::Transform is not known here. Add it to local/assembly/resolver.ts.',
    ],
    [{ deep: [{ Ref: 'Nobody' }] }, 'stack/Probe.value.deep[0]: refers to "Nobody", which is not in the template.'],
    [{ Ref: 'Absent' }, 'stack/Probe.value: refers to "Absent", which is not in the template.'],
    [{ Ref: 'Unset' }, 'stack/Probe.value: parameter Unset has no default.'],
    [
      { 'Fn::ImportValue': 'nothing' },
      'stack/Probe.value.Fn::ImportValue: no stack before this one exports "nothing".',
    ],
    [{ 'Fn::Select': [5, ['a']] }, 'stack/Probe.value.Fn::Select: there is no item 5.'],
    [{ 'Fn::If': ['Maybe', 1, 2] }, 'stack/Probe.value.Fn::If: there is no condition "Maybe".'],
    [
      { 'Fn::FindInMap': ['Sizes', 'small', 'memory'] },
      'stack/Probe.value.Fn::FindInMap: Mappings has no Sizes.small.memory.',
    ],
    [{ 'Fn::Join': ['', 'abc'] }, 'stack/Probe.value.Fn::Join: wants a separator and a list.'],
    [{ 'Fn::Join': ['', [['a']]] }, 'stack/Probe.value.Fn::Join[0]: wants a text.'],
    [
      { 'Fn::GetAtt': ['Custom', 'Answer'] },
      'stack/Probe.value.Fn::GetAtt: only a deployment knows Answer of a Custom::Thing. Give it in local/start-engines.',
    ],
  ])('refuses %j in one line that names the place', (value, message) => {
    expect(() => resolve(value)).toThrow(new Error(message));
  });

  it('refuses names that are made of each other', () => {
    const Resources = {
      A: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'B' } } },
      B: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'A' } } },
    };
    expect(() => resolve('', { Resources })).toThrow(/refers to itself/);
  });

  it('takes what only a deployment knows from whoever does', () => {
    const attribute = (type: string, name: string): string => `${name} of ${type}`;
    expect(resolve({ 'Fn::GetAtt': ['Custom', 'Answer'] }, {}, { attribute })).toBe('Answer of Custom::Thing');
  });

  it('makes up the same names every time, another for every stack', () => {
    const nameIn = (stack: string): unknown =>
      new Resolver(
        stack,
        { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } },
        new Map(),
        DEFAULT_DEPLOYMENT,
      ).resources()[0]?.ref;
    expect(nameIn('one')).toBe(nameIn('one'));
    expect(nameIn('one')).not.toBe(nameIn('two'));
    expect(nameIn('one')).toMatch(/^https:\/\/sqs\.eu-west-1\.amazonaws\.com\/000000000000\/one-Queue-[0-9a-f]{12}$/);
  });

  it('hands what one stack exports to the next', () => {
    const exported = new Map<string, unknown>();
    const first: Template = {
      Resources: { Table: TABLE },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Table', 'Arn'] }, Export: { Name: 'arn' } } },
    };
    new Resolver('first', first, exported, DEFAULT_DEPLOYMENT).resources();
    const second: Template = {
      Resources: { Probe: { Type: 'Test::Probe', Properties: { arn: { 'Fn::ImportValue': 'arn' } } } },
    };
    const [probe] = new Resolver('second', second, exported, DEFAULT_DEPLOYMENT).resources();
    expect(probe?.properties).toEqual({ arn: 'arn:aws:dynamodb:eu-west-1:000000000000:table/items' });
  });
});
