/** A policy that this gateway cannot evaluate; the service would refuse it, or mean something that is not implemented here. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

const INVOKE = 'execute-api:invoke';

/**
 * Whether a policy document lets `execute-api:Invoke` on `arn` through: at least one statement allows it and none denies it.
 * `*` and `?` match over the whole ARN, slashes and colons included.
 * @throws {PolicyError} for what is no policy, and for `Condition`, `NotAction` and `NotResource`.
 */
export function policyAllows(document: unknown, arn: string): boolean {
  if (!isObject(document)) throw new PolicyError('policyDocument is not an object');
  let allowed = false;
  let denied = false;
  for (const statement of toList(document['Statement'], 'Statement')) {
    if (!isObject(statement)) throw new PolicyError('Statement is not an object');
    for (const key of ['Condition', 'NotAction', 'NotResource']) {
      if (statement[key] !== undefined) throw new PolicyError(`${key} is not supported`);
    }
    const effect = statement['Effect'];
    if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyError('Effect is neither Allow nor Deny');
    const actions = toTexts(statement['Action'], 'Action');
    const resources = toTexts(statement['Resource'], 'Resource');
    const applies =
      actions.some((action) => globMatches(action.toLowerCase(), INVOKE)) &&
      resources.some((resource) => globMatches(resource, arn));
    if (applies && effect === 'Allow') allowed = true;
    if (applies && effect === 'Deny') denied = true;
  }
  return allowed && !denied;
}

/** Whether `text` fits a pattern of `*` (any run) and `?` (any one character). Linear memory, no regular expression, so no pattern is slow. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

function toTexts(value: unknown, name: string): string[] {
  return toList(value, name).map((item) => {
    if (typeof item !== 'string') throw new PolicyError(`${name} is not a text`);
    return item;
  });
}

function toList(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) throw new PolicyError(`${name} is missing`);
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
