import { finalReads } from '../history/questions.ts';
import type { Checker, Finding } from './finding.ts';

/** Two that were told different things of one number. What one of them lacks is for the checker of gaps. */
export const divergence: Checker = (history) => {
  const findings: Finding[] = [];
  const first = new Map<string, { process: string; told: string }>();
  for (const { process, conversationId, entries } of finalReads(history)) {
    for (const { id, seq, kind, key, text } of entries) {
      const told = JSON.stringify([id, kind, key, text]);
      const place = `${conversationId} ${seq}`;
      const other = first.get(place);
      if (!other) first.set(place, { process, told });
      else if (other.told !== told)
        findings.push({
          checker: 'divergence',
          what: `number ${seq} is ${told} to ${process} and ${other.told} to ${other.process}`,
        });
    }
  }
  return findings;
};
