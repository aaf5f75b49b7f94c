import { KeyspacesMessageLog } from '../../lambdas/ports/message-log/keyspaces.ts';
import { CASSANDRA_DATA_CENTER } from '../../local/engines/cassandra.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { createKeyspace } from '../../local/engines/keyspace.ts';
import { WallClock } from '../contracts/contract.ts';
import { describeMessageLog } from '../contracts/message-log.ts';
import { describeWith } from '../require.ts';

const START_MS = 120_000;
const KEYSPACE = 'parley_test';

describeWith('engines', 'the message log in Cassandra', () => {
  let engines: Engines<'cassandra'>;
  beforeAll(async () => {
    engines = await startEngines({ only: ['cassandra'] });
    await createKeyspace(engines.cassandra, KEYSPACE);
  }, START_MS);
  afterAll(() => engines.stop());

  const open = (): KeyspacesMessageLog => {
    const { host, port } = engines.cassandra;
    return new KeyspacesMessageLog({
      contactPoints: [host],
      port,
      localDataCenter: CASSANDRA_DATA_CENTER,
      keyspace: KEYSPACE,
    });
  };

  describeMessageLog(
    'KeyspacesMessageLog',
    () => {
      const port = open();
      return Promise.resolve({ port, clock: new WallClock(), close: () => port.close() });
    },
    { exactTime: false },
  );
});
