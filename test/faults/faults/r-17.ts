import { setTimeout as wait } from 'node:timers/promises';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const ROUNDS = 3;

export const R17: Fault = {
  id: 'R-17',
  title: 'Only the answer of the broker is lost',
  hypothesis: 'The record may stand in the topic twice; nobody shows it twice.',
  schedule: `${ROUNDS} times: what the broker answers is held for 1.5 s while people write without the direct path, and then its connections are cut.`,
  asserts: 'Answers were held each time; sends were answered all the same.',
  async run(run, lab) {
    const devices = [await run.sdk('ana'), await run.sdk('ben')];
    const conversationId = await run.group('ana', 'ben');
    lab.order({ fail: { function: 'send', at: 'direct.deliver', how: 'lost', times: Number.MAX_SAFE_INTEGER } });
    const traffic = new Traffic(devices, [conversationId], 150);
    for (let i = 0; i < ROUNDS; i++) {
      await wait(500);
      const end = run.history.begin(`answers of Kafka lost ${i}`);
      lab.networks.kafka.set('toClient', { hold: true });
      const { disturbed } = lab.networks.kafka;
      await wait(1_500);
      const answers = lab.networks.kafka.disturbed - disturbed;
      run.expect(answers > 0, `Kafka answered nothing in round ${i}: the fault did not happen`);
      lab.networks.kafka.cut();
      await lab.networks.kafka.heal();
      end();
    }
    await wait(1_000);
    await traffic.stop();
  },
};
