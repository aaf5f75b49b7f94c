/**
 * List prices of single calls in us-east-1, in USD per million. Source: the price files that ../lib/prices.ts is read from, and AWS's pricing
 * pages as of 2026-11: Keyspaces and DynamoDB on demand 0.625 a write unit, 0.125 a read unit; Lambda 0.20 a request; API Gateway 1.00 a message.
 */
const PER_MILLION: Readonly<Record<string, number>> = {
  // Three consistent reads of up to 4 KB beside the caller's connections.
  'dynamodb:BatchGetItem': 4 * 0.125,
  'dynamodb:GetItem': 0.125,
  'dynamodb:Query': 0.125,
  'dynamodb:PutItem': 0.625,
  'dynamodb:UpdateItem': 0.625,
  // An applied conditional insert costs what a plain one does; the expiry of the row is billed as well.
  'cassandra:Execute': 0.625 + 0.275,
  'lambda:InvokeFunction': 0.2,
  'execute-api:POST': 1,
  // Paid by the hour of the brokers.
  'kafka:Produce': 0,
};

/** Beside what functions call: the message in and its reply out at API Gateway, and the invocations of `send` and, for the stream, `deliver`. */
const AROUND_PER_MILLION = 2 * 1 + 2 * 0.2;

/** What the calls of `messages` messages cost for a million, durations of functions and traffic left out. */
export function usdPerMillion(calls: readonly string[], messages: number): number {
  const sum = calls.reduce((usd, call) => {
    const price = PER_MILLION[call];
    if (price === undefined) throw new Error(`no price for ${call}`);
    return usd + price;
  }, 0);
  return sum / messages + AROUND_PER_MILLION;
}
