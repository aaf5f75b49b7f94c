import { setTimeout as wait } from 'node:timers/promises';
import { operationsOf } from '../history/questions.ts';
import type { Lab, Network } from '../harness/lab.ts';
import type { RawDevice } from '../harness/raw-device.ts';
import type { Run } from '../harness/run.ts';
import { until } from '../harness/until.ts';
import { Traffic } from '../harness/traffic.ts';
import type { Fault } from './fault.ts';

const HELD_MS = 4_000;
const FLAPS = 4;
const ON_ITS_WAY_MS = 300;

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
    asserts:
      network === 'cassandra'
        ? 'Something was held or cut each time; nothing is answered while Cassandra cannot be heard.'
        : 'Something was held or cut each time; sends are answered during it.',
    async run(run, lab) {
      const devices = [await run.sdk('ana'), await run.sdk('ben')];
      const conversationId = await run.group('ana', 'ben');
      for (const { name, happen } of PARTITIONS) {
        const traffic = new Traffic(devices, [conversationId], 150);
        const before = answeredIn(run);
        await until(() => answeredIn(run) > before, 'sends are answered', 60_000);
        const { disturbed, accepted } = lab.networks[network];
        const end = run.history.begin(`${network} ${name}`);
        const fromMs = Date.now();
        await happen(lab, network);
        const toMs = Date.now();
        await lab.networks[network].heal();
        end();
        await wait(500);
        await traffic.stop();
        const touched = lab.networks[network].disturbed - disturbed + lab.networks[network].accepted - accepted;
        run.expect(touched > 0, `${network} was not spoken to while it was ${name}: the fault did not happen`);
        // What was answered at that very moment may still be on its way to the device.
        const answered = operationsOf(run.history.operations, 'send', 'ok').filter(
          ({ atMs }) => atMs > fromMs + ON_ITS_WAY_MS && atMs < toMs,
        ).length;
        run.figure(`${network} ${name}: ${answered} sends answered meanwhile`);
        if (network !== 'cassandra') run.expect(answered > 0, `nothing was answered while ${network} was ${name}`);
        else if (name !== 'flapping')
          run.expect(answered === 0, `${answered} sends were answered while Cassandra was ${name}`);
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
  schedule:
    'Cassandra answers reads, and every INSERT with an error; three sends that nobody repeats; then it takes inserts again.',
  asserts: 'Inserts were refused while the log could be read; no send is answered, and nobody gets any of them.',
  async run(run, lab) {
    const ben = await listeners(run);
    const sender = await run.raw('ana', 'sender');
    const conversationId = await run.group('ana', 'ben');
    await sender.send(conversationId, 'before');
    const end = run.history.begin('Cassandra refuses inserts');
    const before = lab.cql.refused;
    lab.cql.refusesInserts = true;
    const told = messages(ben);
    const answers = await Promise.all(['one', 'two', 'three'].map((text) => sender.send(conversationId, text)));
    run.expect(
      answers.every(({ outcome }) => outcome === 'info'),
      `answered ${JSON.stringify(answers)}`,
    );
    const page = await sender.ask('log.page', { conversationId });
    const texts = page.outcome === 'ok' ? page.body.entries.filter(({ kind }) => kind === 'message').length : 0;
    run.expect(texts === 1, `the log had ${texts} messages while inserts were refused, of 1: ${JSON.stringify(page)}`);
    await wait(1_000);
    run.expect(messages(ben) === told, `${messages(ben) - told} messages were delivered that are not in the log`);
    const refused = lab.cql.refused - before;
    run.expect(refused >= answers.length, `only ${refused} inserts were refused: the fault did not happen`);
    run.figure(
      `${refused} inserts refused for ${answers.length} sends: ${answers.map((answer) => (answer.outcome === 'ok' ? 'ok' : answer.code)).join(', ')}`,
    );
    lab.cql.refusesInserts = false;
    end();
  },
};

function answeredIn({ history }: Run): number {
  return operationsOf(history.operations, 'send', 'ok').length;
}

function messages({ got }: RawDevice): number {
  return got.filter(({ kind }) => kind === 'message').length;
}

async function listeners(run: Run) {
  await run.sdk('ana');
  await run.sdk('ben');
  return run.raw('ben', 'wire');
}
