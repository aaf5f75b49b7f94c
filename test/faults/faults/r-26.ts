import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const ROUNDS = 4;

export const R26: Fault = {
  id: 'R-26',
  title: 'Functions are replaced while they work, there and back',
  hypothesis:
    'Two builds side by side lose nothing; a record of a newer one is parked by the older, and holds up nobody.',
  schedule: `People write; ${ROUNDS} times all functions change from one build to another and back; a record of a version to come in between.`,
  asserts: 'The record of a version to come is parked, once.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben'), await run.sdk('cleo')];
    const conversationId = await run.group('ana', 'ben', 'cleo');
    const before = (await lab.stream.parked()).length;
    const traffic = new Traffic(devices, [conversationId], 120);
    const end = run.history.begin('functions are replaced');
    for (let i = 0; i < ROUNDS; i++) {
      lab.deploy(i % 2 === 0 ? 'plain' : 'obedient');
      await wait(1_500);
    }
    const value = Buffer.from(
      JSON.stringify({ v: 2, type: 'entry', conversation: `${run.workspaceId}/${conversationId}` }),
    );
    await lab.stream.produce('conversation-events', [{ key: Buffer.from(conversationId), value }]);
    await wait(1_500);
    await traffic.stop();
    end();
    const parked = (await lab.stream.parked()).length - before;
    run.expect(parked === 1, `${parked} records were parked`);
  },
};
