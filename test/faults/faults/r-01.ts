import { setTimeout as wait } from 'node:timers/promises';
import { deliveries } from '../checkers/late.ts';
import type { SdkDevice } from '../harness/sdk-device.ts';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const PEOPLE = 30;
const GROUPS = [2, 3, 5, 8, 12, 20];
const FOR_MS = 20_000;

export const R01: Fault = {
  id: 'R-01',
  title: 'No fault: the baseline',
  hypothesis: 'Every promise holds, and the median delivery takes less than 100 ms.',
  schedule: `${PEOPLE} people in ${GROUPS.length} groups of ${GROUPS.join(', ')} write for ${FOR_MS / 1_000} s, about 20 messages a second.`,
  asserts: 'The median of all deliveries is at most 100 ms.',
  async run(run) {
    const devices: SdkDevice[] = [];
    for (let i = 0; i < PEOPLE; i++) devices.push(await run.sdk(`p${i}`));
    const traffics: Traffic[] = [];
    for (const [g, size] of GROUPS.entries()) {
      const members = Array.from({ length: size }, (_, i) => `p${(g * 5 + i) % PEOPLE}`) as [string, ...string[]];
      const conversationId = await run.group(...members);
      const writers = devices.filter(({ userId }) => members.slice(0, 3).includes(userId));
      traffics.push(new Traffic(writers, [conversationId], 800));
    }
    await wait(FOR_MS);
    for (const traffic of traffics) await traffic.stop();
    await run.everybodyHas(10_000);
    const tookMs = deliveries(run.history.operations).flatMap(({ dueMs, gotAtMs }) =>
      gotAtMs === undefined ? [] : [gotAtMs - dueMs],
    );
    const median = tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length / 2)] ?? Infinity;
    run.expect(median <= 100, `the median delivery took ${median} ms`);
  },
};
