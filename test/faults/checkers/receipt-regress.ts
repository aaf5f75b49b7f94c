import { finalReads, operationsOf } from '../history/questions.ts';
import type { Values } from '../history/history.ts';
import type { Checker, Finding } from './finding.ts';

/** P7: a receipt that went back, or that says more than there is. */
export const receiptRegress: Checker = (history) => {
  const findings: Finding[] = [];
  const heads = new Map<string, number>();
  for (const { conversationId, headSeq } of finalReads(history)) {
    heads.set(conversationId, Math.max(headSeq, heads.get(conversationId) ?? 0));
  }
  const last = new Map<string, Values['receipt']>();
  for (const { process, value } of operationsOf(history, 'receipt', 'ok')) {
    const { conversationId, userId, deliveredSeq, readSeq } = value;
    const say = (what: string): unknown =>
      findings.push({
        checker: 'receipt-regress',
        what: `${process} was told of ${userId} in ${conversationId}: ${what}`,
      });
    const before = last.get(`${process} ${userId} ${conversationId}`);
    if (before && (deliveredSeq < before.deliveredSeq || readSeq < before.readSeq))
      say(`delivered ${deliveredSeq}, read ${readSeq} after ${before.deliveredSeq}, ${before.readSeq}`);
    const head = heads.get(conversationId) ?? Infinity;
    if (readSeq > deliveredSeq || deliveredSeq > head) say(`read ${readSeq}, delivered ${deliveredSeq}, head ${head}`);
    last.set(`${process} ${userId} ${conversationId}`, value);
  }
  return findings;
};
