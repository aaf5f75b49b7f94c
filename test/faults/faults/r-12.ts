import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const MINUTES = 60_000;

export const R12: Fault = {
  id: 'R-12',
  title: 'The clocks of processes differ, and jump back',
  hypothesis: 'Ids rise with the numbers whatever the clocks say; no write is dropped.',
  schedule:
    'Six people write at once; processes are 5 minutes behind, right, and 5 minutes ahead; then all 10 s behind; then right.',
  asserts: 'Messages say that they were sent minutes ago, or minutes from now.',
  async run(run, lab) {
    const names = ['ana', 'ben', 'cleo', 'dan', 'eve', 'finn'] as const;
    const devices = [];
    for (const name of names) devices.push(await run.sdk(name));
    const wire = await run.raw('ana', 'wire');
    const conversationId = await run.group(...names);
    const end = run.history.begin('clocks differ');
    lab.order({ clockShiftsMs: [-5 * MINUTES, 0, 5 * MINUTES] });
    const traffic = new Traffic(devices, [conversationId], 120);
    await wait(5_000);
    lab.order({ clockShiftsMs: [-10_000] });
    await wait(3_000);
    lab.order({});
    await wait(1_000);
    await traffic.stop();
    end();
    const offMs = wire.got.flatMap((entry) => (entry.kind === 'message' ? [entry.sentAtMs - Date.now()] : []));
    const [ahead, behind] = [offMs.filter((ms) => ms > MINUTES), offMs.filter((ms) => ms < -2 * MINUTES)];
    run.expect(ahead.length + behind.length > 0, 'no clock was off: the fault did not happen');
    run.figure(
      `${ahead.length} messages sent by clocks that are ahead, ${behind.length} by clocks that are behind, of ${offMs.length}`,
    );
  },
};
