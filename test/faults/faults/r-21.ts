import { LIMITS } from '@parley/protocol';
import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const LIVES_MS = 6_000;
const SHORT_LIVED = 12;
const PAGE = 7;
const PAGES_MAX = 200;

export const R21: Fault = {
  id: 'R-21',
  title: 'Entries expire and arrive while somebody pages through them',
  hypothesis:
    'Paging ends, meets nothing twice, and skips nothing that lives; what has expired is never answered again.',
  schedule: `${SHORT_LIVED} messages that live ${LIVES_MS / 1_000} s among others; pages of ${PAGE} from the end to the start while they expire and people write.`,
  asserts: 'Every message that was there before and lives is met once; no expired text is answered.',
  async run(run, lab) {
    const devices = [await run.sdk('ana')];
    const sender = await run.raw('ana', 'sender');
    const pager = await run.raw('ben', 'pager');
    const conversationId = await run.group('ana', 'ben');
    const lasting: string[] = [];
    const expiring: string[] = [];
    for (let i = 0; i < 2 * SHORT_LIVED; i++) {
      const isShort = i % 2 === 0;
      // Whoever writes lives in the past, by almost as long as an entry is kept.
      lab.order(isShort ? { clockShiftsMs: [LIVES_MS - LIMITS.entryTtlMs] } : {});
      const answer = await sender.send(conversationId, `${isShort ? 'short' : 'long'} ${i}`);
      if (answer.outcome === 'ok') (isShort ? expiring : lasting).push(answer.body.id);
    }
    lab.order({});
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
      lasting.length === SHORT_LIVED && lasting.every((id) => met.includes(id)),
      'an entry that lives was skipped',
    );
    await traffic.stop();
    await wait(LIVES_MS);
    for (const id of expiring) run.history.record('clock', 'ok', 'remove', { conversationId, id });
    const again = await pager.ask('log.page', { conversationId, limit: 100 });
    const texts =
      again.outcome === 'ok'
        ? again.body.entries.flatMap((entry) => (entry.kind === 'message' ? [entry.content.text] : []))
        : [];
    run.expect(texts.length > 0 && !texts.some((text) => text.startsWith('short')), 'an expired text was answered');
  },
};
