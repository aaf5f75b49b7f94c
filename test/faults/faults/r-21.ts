import { LIMITS } from '@parley/protocol';
import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { RawDevice } from '../harness/raw-device.ts';
import type { Fault } from './fault.ts';

const LIVES_MS = 6_000;
const EACH = 12;
const PAGE = 7;
const PAGES_MAX = 200;

export const R21: Fault = {
  id: 'R-21',
  title: 'Entries expire and arrive while somebody pages through them',
  hypothesis:
    'Paging ends, meets nothing twice, and skips nothing that lives; what has expired is never answered again.',
  schedule: `${EACH} messages that live ${LIVES_MS / 1_000} s, and as many that last; pages of ${PAGE} from the end to the start while they expire and people write.`,
  asserts: 'Every message that was there before and lives is met once; no expired text is answered.',
  async run(run, lab) {
    const devices = [await run.sdk('ana')];
    const sender = await run.raw('ana', 'sender');
    const pager = await run.raw('ben', 'pager');
    // Whoever writes lives in the past, by almost as long as an entry is kept.
    lab.order({ clockShiftsMs: [LIVES_MS - LIMITS.entryTtlMs], clocksOf: ['conversation', 'send'] });
    const conversationId = await run.group('ana', 'ben');
    const expiring = await write(sender, conversationId, 'short');
    lab.order({});
    const lasting = await write(sender, conversationId, 'long');
    const traffic = new Traffic(devices, [conversationId], 100);
    const met: string[] = [];
    let beforeId: string | undefined;
    let pages = 0;
    do {
      const page = await pager.ask('log.page', {
        conversationId,
        limit: PAGE,
        ...(beforeId !== undefined && { beforeId }),
      });
      if (page.outcome !== 'ok') break;
      met.push(...page.body.entries.map(({ id }) => id));
      beforeId = page.body.nextBeforeId;
      await wait(LIVES_MS / 10);
    } while (beforeId !== undefined && ++pages < PAGES_MAX);
    run.expect(beforeId === undefined, 'paging did not come to an end');
    run.expect(new Set(met).size === met.length, 'an entry was met twice');
    run.expect(
      lasting.length === EACH && lasting.every(({ id }) => met.includes(id)),
      'an entry that lives was skipped',
    );
    await traffic.stop();
    await wait(LIVES_MS);
    run.expect(expiring.length === EACH, 'not every message that expires was answered');
    for (const { id, seq } of expiring) {
      run.history.record('clock', 'ok', 'remove', { conversationId, id, expiredSeq: seq });
    }
    const again = await pager.ask('log.page', { conversationId, limit: 100 });
    const texts =
      again.outcome === 'ok'
        ? again.body.entries.flatMap((entry) => (entry.kind === 'message' ? [entry.content.text] : []))
        : [];
    run.expect(texts.length > 0 && !texts.some((text) => text.startsWith('short')), 'an expired text was answered');
  },
};

async function write(sender: RawDevice, conversationId: string, what: string): Promise<{ id: string; seq: number }[]> {
  const written = [];
  for (let i = 0; i < EACH; i++) {
    const answer = await sender.send(conversationId, `${what} ${i}`);
    if (answer.outcome === 'ok') written.push(answer.body);
  }
  return written;
}
