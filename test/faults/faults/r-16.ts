import { setTimeout as wait } from 'node:timers/promises';
import type { Lab, Network } from '../harness/lab.ts';
import type { Run } from '../harness/run.ts';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const HELD_MS = 4_000;
const FLAPS = 4;

interface Partition {
  readonly name: string;
  readonly happen: (lab: Lab, network: Network) => Promise<void>;
}

const PARTITIONS: readonly Partition[] = [
  {
    name: 'silent both ways',
    happen: async (lab, network) => {
      lab.networks[network].halfOpen();
      await wait(HELD_MS);
    },
  },
  {
    name: 'silent on the way back',
    happen: async (lab, network) => {
      lab.networks[network].set('toClient', { hold: true });
      await wait(HELD_MS);
    },
  },
  {
    name: 'flapping',
    happen: async (lab, network) => {
      for (let i = 0; i < FLAPS; i++) {
        await lab.networks[network].refuse();
        await wait(500);
        await lab.networks[network].heal();
        await wait(500);
      }
    },
  },
];

/** People write while functions cannot reach one engine, in each of the ways in which networks fail. */
function partitionOf(network: Network, hypothesis: string): Fault {
  return {
    id: `R-16-${network}`,
    title: `Functions and ${network} cannot reach each other`,
    hypothesis,
    schedule: `People write; the network between functions and ${network} is ${PARTITIONS.map(({ name }) => name).join(', then ')}.`,
    asserts: 'Nothing beside the checkers.',
    async run(run, lab) {
      const devices = [await run.sdk('ana'), await run.sdk('ben')];
      const conversationId = await run.group('ana', 'ben');
      for (const { name, happen } of PARTITIONS) {
        const traffic = new Traffic(devices, [conversationId], 150);
        await wait(500);
        const end = run.history.begin(`${network} ${name}`);
        await happen(lab, network);
        await lab.networks[network].heal();
        end();
        await wait(500);
        await traffic.stop();
      }
    },
  };
}

export const R16: readonly Fault[] = [
  partitionOf('cassandra', 'Nothing is answered that is not in the log; everything goes out when the network is back.'),
  partitionOf('kafka', 'Sends are answered all the same; what the stream did not take is published by repair.'),
  partitionOf('redis', 'Nobody notices but who looks at presence.'),
];

export const R16_REFUSED: Fault = {
  id: 'R-16-insert',
  title: 'Cassandra refuses the insert, and the sender gives up',
  hypothesis: 'No answer, and no delivery to anybody: the number becomes void.',
  schedule: 'No connection to Cassandra; three sends that nobody repeats; the network comes back.',
  asserts: 'None is answered, and nobody gets any of them while the network is away.',
  async run(run, lab) {
    const ben = await listeners(run);
    const sender = await run.raw('ana', 'sender');
    const conversationId = await run.group('ana', 'ben');
    await sender.send(conversationId, 'before');
    const end = run.history.begin('no connection to Cassandra');
    await lab.networks.cassandra.refuse();
    const told = ben.got.length;
    const answers = await Promise.all(['one', 'two', 'three'].map((text) => sender.send(conversationId, text)));
    run.expect(
      answers.every(({ outcome }) => outcome === 'info'),
      `answered ${JSON.stringify(answers)}`,
    );
    await wait(1_000);
    run.expect(ben.got.length === told, `${ben.got.length - told} entries were delivered that are not in the log`);
    end();
  },
};

async function listeners(run: Run) {
  await run.sdk('ana');
  await run.sdk('ben');
  return run.raw('ben', 'wire');
}
