import { globMatches, policyAllows, PolicyError } from '../../local/gateway/policy.ts';

const ARN = 'arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect';
const statement = (over: Record<string, unknown> = {}) => ({
  Effect: 'Allow',
  Action: 'execute-api:Invoke',
  Resource: ARN,
  ...over,
});

describe('policyAllows', () => {
  it.each<[string, unknown, boolean]>([
    ['one statement that is no list', { Statement: statement() }, true],
    ['no statement', { Statement: [] }, false],
    ['another action', { Statement: [statement({ Action: 'execute-api:ManageConnections' })] }, false],
    ['an action in another case', { Statement: [statement({ Action: 'Execute-API:invoke' })] }, true],
    ['every action of the service', { Statement: [statement({ Action: 'execute-api:*' })] }, true],
    ['one of several actions', { Statement: [statement({ Action: ['s3:GetObject', '*'] })] }, true],
    ['a star over several parts', { Statement: [statement({ Resource: 'arn:aws:execute-api:*/$connect' })] }, true],
    ['a question mark', { Statement: [statement({ Resource: ARN.replace('prod', 'pro?') })] }, true],
    ['another stage', { Statement: [statement({ Resource: ARN.replace('prod', 'dev') })] }, false],
    [
      'a deny of something else',
      { Statement: [statement(), statement({ Effect: 'Deny', Resource: `${ARN}x` })] },
      true,
    ],
    [
      'a deny before the allow',
      { Statement: [statement({ Effect: 'Deny', Resource: ['x', '*'] }), statement()] },
      false,
    ],
  ])('%s', (_, document, allowed) => expect(policyAllows(document, ARN)).toBe(allowed));

  it.each<[string, unknown]>([
    ['no document', undefined],
    ['a text', 'Allow'],
    ['no statement', {}],
    ['a statement that is none', { Statement: ['x'] }],
    ['no effect', { Statement: [statement({ Effect: undefined })] }],
    ['an effect in another case', { Statement: [statement({ Effect: 'allow' })] }],
    ['no action', { Statement: [statement({ Action: undefined })] }],
    ['a resource that is no text', { Statement: [statement({ Resource: [1] })] }],
    ['a condition', { Statement: [statement({ Condition: {} })] }],
    ['NotAction', { Statement: [statement({ NotAction: 'x' })] }],
    ['NotResource', { Statement: [statement({ NotResource: 'x' })] }],
  ])('refuses %s', (_, document) => expect(() => policyAllows(document, ARN)).toThrow(PolicyError));
});

describe('globMatches', () => {
  it.each<[string, string, boolean]>([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a/b:c', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcd', false],
    ['a*b*c', 'aXbXbXc', true],
    ['?', '', false],
    ['?', 'a', true],
    ['a?', 'a', false],
    ['*a', 'ba', true],
    ['a.c', 'abc', false],
    ['a**', 'a', true],
  ])('%s on %s: %s', (pattern, text, matches) => expect(globMatches(pattern, text)).toBe(matches));

  it('meets a hostile pattern without a blow-up', () => {
    expect(globMatches('*a'.repeat(500) + 'b', 'a'.repeat(5_000))).toBe(false);
  });
});
