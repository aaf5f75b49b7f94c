import type { FunctionDefinition, Permission } from '../assembly/functions.ts';
import type { Statement } from '../assembly/policies.ts';
import { globMatches } from '../gateway/policy.ts';

/** What a call asks for. */
export interface Ask {
  /** `{service}:{Action}` */
  readonly action: string;
  /** ARN, or `*` where the service knows no resource. */
  readonly resource: string;
  /** Keys that conditions may name. */
  readonly context?: Readonly<Record<string, string>>;
}

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly why: string };

/** What the policies of a role say: some statement allows it, and none denies it. */
export function decide(statements: readonly Statement[], ask: Ask): Decision {
  const matching = statements.filter((statement) => applies(statement, ask));
  const denial = matching.find(({ effect }) => effect === 'Deny');
  if (denial) return { allowed: false, why: `denied by ${denial.from}` };
  if (matching.length > 0) return { allowed: true };
  return { allowed: false, why: 'no statement of its role allows it' };
}

function applies({ actions, resources, conditions }: Statement, { action, resource, context = {} }: Ask): boolean {
  return (
    actions.some((pattern) => globMatches(pattern.toLowerCase(), action.toLowerCase())) &&
    resources.some((pattern) => globMatches(pattern, resource)) &&
    conditions.every(({ operator, key, values }) => holds(operator, context[key], values))
  );
}

/** The operators are those that local/assembly/policies.ts lets through. */
function holds(operator: string, value: string | undefined, accepted: readonly string[]): boolean {
  if (operator === 'StringNotEquals') return value === undefined || !accepted.includes(value);
  if (value === undefined) return false;
  if (operator === 'StringEquals') return accepted.includes(value);
  return accepted.some((pattern) => globMatches(pattern, value));
}

/** Who may do what: every call of a function is checked against its role as the template has it. */
export class Access {
  constructor(
    private readonly functions: ReadonlyMap<string, FunctionDefinition>,
    private readonly accountId: string,
    /** Gets a line for each refusal: the function, the action, the resource. */
    private readonly log: (line: string) => void,
    /** Gets every call that a function made and may make, once each: what is billed on AWS. */
    readonly onCall: (functionName: string, call: string) => void = () => undefined,
  ) {}

  /** Whether the function's own code may do this. A refusal is logged. */
  allows(functionName: string, ask: Ask): boolean {
    const arn = this.functions.get(functionName)?.arn ?? '';
    return this.check(functionName, { ...ask, context: { 'lambda:SourceFunctionArn': arn, ...ask.context } });
  }

  /** Whether the service may do this with the function's role, as pollers do. */
  allowsService(functionName: string, ask: Ask): boolean {
    return this.check(functionName, ask);
  }

  /** Whether API Gateway may invoke the function for this route or authorizer: what the function's own policy says. */
  admits(permissions: readonly Permission[], functionName: string, sourceArn: string): boolean {
    const isAdmitted = permissions.some(
      (permission) =>
        permission.action === 'lambda:InvokeFunction' &&
        permission.principal === 'apigateway.amazonaws.com' &&
        (permission.sourceArn === undefined || globMatches(permission.sourceArn, sourceArn)),
    );
    if (!isAdmitted)
      this.log(`REFUSED API Gateway: lambda:InvokeFunction on ${functionName}: no permission admits ${sourceArn}`);
    return isAdmitted;
  }

  private check(functionName: string, ask: Ask): boolean {
    const accounts = { 'aws:PrincipalAccount': this.accountId, 'aws:ResourceAccount': this.accountId };
    const statements = this.functions.get(functionName)?.statements ?? [];
    const decision = decide(statements, { ...ask, context: { ...accounts, ...ask.context } });
    if (decision.allowed) return true;
    this.log(`REFUSED ${functionName}: ${ask.action} on ${ask.resource}: ${decision.why}`);
    return false;
  }
}
