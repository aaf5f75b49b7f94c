import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const TOPIC = 'conversation-events';

export const R09: Fault = {
  id: 'R-09',
  title: 'The consumer dies between the delivery and the commit, and the group rebalances',
  hypothesis: 'Records are delivered again, in their order; the SDK shows each once.',
  schedule:
    'No direct path; deliver is killed after it posted, three times; consumers 1 → 3 → 1 under load; records twice and in another order.',
  asserts: 'Entries came twice on the wire.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    const listener = await run.raw('ben', 'wire');
    const traffic = new Traffic(devices, [conversationId], 80);
    const end = run.history.begin('consumers die');
    lab.order({
      fail: { function: 'send', at: 'direct.deliver', how: 'lost', times: Number.MAX_SAFE_INTEGER },
      crash: { function: 'deliver', at: 'reply', when: 'after', times: 3 },
    });
    await wait(4_000);
    await lab.stream.addPoller(TOPIC);
    await lab.stream.addPoller(TOPIC);
    await wait(3_000);
    await lab.stream.removePollers();
    lab.seams.around = (name, event, proceed) =>
      proceed(name === 'deliver' ? shuffled(event, () => run.random.next()) : event);
    await wait(2_000);
    await traffic.stop();
    end();
    const ids = listener.got.map(({ id }) => id);
    run.expect(new Set(ids).size < ids.length, 'nothing came twice: the fault did not happen');
  },
};

interface KafkaEvent {
  readonly records?: Readonly<Record<string, readonly object[]>>;
}

/** Every record twice, and in any order. Worse than a partition ever does. */
function shuffled(event: unknown, random: () => number): unknown {
  const { records } = event as KafkaEvent;
  if (!records) return event;
  const mixed = Object.entries(records).map(([partition, theirs]) => {
    const twice = [...theirs, ...theirs].map((record) => ({ record, at: random() }));
    return [partition, twice.sort((a, b) => a.at - b.at).map(({ record }) => record)];
  });
  return { ...(event as object), records: Object.fromEntries(mixed) as unknown };
}
