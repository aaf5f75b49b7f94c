import { Fields } from './fields.ts';
import { attributeOf, type Identity } from './physical.ts';
import type { Resource } from './resolver.ts';

/** One statement of an identity policy. */
export interface Statement {
  /** `{stack}/{logicalId} {Sid}`: what a refusal can point to. */
  readonly from: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Operator, key, accepted values. */
  readonly conditions: readonly {
    readonly operator: string;
    readonly key: string;
    readonly values: readonly string[];
  }[];
}

/** What local/aws/access.ts evaluates; another operator or key would be taken for something else than it means. */
const OPERATORS = new Set(['StringEquals', 'StringNotEquals', 'StringLike', 'ArnLike', 'ArnEquals']);
const KEYS = new Set(['kms:ViaService', 'lambda:SourceFunctionArn', 'aws:PrincipalAccount', 'aws:ResourceAccount']);

/** Gives the statements of a role: managed policies of the template, and inline ones. */
export function policiesOfRoles(
  resources: readonly Resource[],
  at: Identity,
): (roleArn: string, user: Fields) => Statement[] {
  const managed = new Map<string, Statement[]>();
  const attached = new Map<string, Statement[]>();
  const attach = (role: string, statements: Statement[]): void => {
    attached.set(role, [...(attached.get(role) ?? []), ...statements]);
  };
  for (const resource of resources) {
    if (resource.type !== 'AWS::IAM::ManagedPolicy' && resource.type !== 'AWS::IAM::Policy') continue;
    const fields = Fields.of(resource);
    const statements = statementsIn(resource, fields.object('PolicyDocument'));
    if (resource.type === 'AWS::IAM::ManagedPolicy') managed.set(resource.ref, statements);
    for (const role of fields.texts('Roles')) attach(role, statements);
  }
  const byArn = new Map<string, Statement[]>();
  for (const resource of resources.filter(({ type }) => type === 'AWS::IAM::Role')) {
    const fields = Fields.of(resource);
    const inline = fields
      .objects('Policies')
      .flatMap((policy) => statementsIn(resource, policy.object('PolicyDocument')));
    const byReference = fields
      .texts('ManagedPolicyArns')
      .flatMap(
        (arn) =>
          managed.get(arn) ??
          fields.fail(
            'ManagedPolicyArns',
            `${arn} is not in the template, so nobody here knows what it allows. Write a policy of your own.`,
          ),
      );
    const { type, stackName, logicalId, ref, properties } = resource;
    const arn = attributeOf(at, type, stackName, logicalId, properties, 'Arn');
    byArn.set(arn, [...byReference, ...inline, ...(attached.get(ref) ?? [])]);
  }
  return (roleArn, user) =>
    byArn.get(roleArn) ??
    user.fail('Role', `${roleArn} is no role of the template, so nobody here knows what it may do.`);
}

function statementsIn({ stackName, logicalId }: Resource, document: Fields): Statement[] {
  return document.objects('Statement').map((statement, i) => {
    const effect = statement.text('Effect');
    if (effect !== 'Allow' && effect !== 'Deny') statement.fail('Effect', 'is neither Allow nor Deny.');
    for (const name of ['NotAction', 'NotResource', 'Principal', 'NotPrincipal']) {
      if (statement.get(name) !== undefined) statement.fail(name, 'is not evaluated here. Name what is meant.');
    }
    const conditions = statement.optionalObject('Condition');
    return {
      from: `${stackName}/${logicalId} ${statement.optionalText('Sid') ?? `[${i}]`}`,
      effect: effect as 'Allow' | 'Deny',
      actions: statement.texts('Action'),
      resources: statement.texts('Resource'),
      conditions: (conditions?.keys() ?? []).flatMap((operator) => {
        const keys = conditions?.object(operator);
        if (!OPERATORS.has(operator)) conditions?.fail(operator, 'is an operator that is not evaluated here.');
        return (keys?.keys() ?? []).map((key) => {
          if (!KEYS.has(key)) keys?.fail(key, 'is a condition key that is not evaluated here.');
          return { operator, key, values: keys?.list(key).map(String) ?? [] };
        });
      }),
    };
  });
}
