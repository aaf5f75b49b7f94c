/** What to do about a table that is not `ACTIVE`; the words are the same in Keyspaces and DynamoDB. */
export function tableAdvice(status: string): string {
  if (status === 'INACCESSIBLE_ENCRYPTION_CREDENTIALS') {
    return 'Its KMS key is disabled or waits for deletion. Enable it or cancel that in KMS at once: after some days the table is lost.';
  }
  if (status.endsWith('ING')) return 'Wait until that is done, then run this again.';
  return 'Look at the table in the console of AWS, where the reason stands.';
}
