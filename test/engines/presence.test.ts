import { ValkeyPresence } from '../../lambdas/ports/presence/valkey.ts';
import { startEngines, type Engines } from '../../local/engines/engines.ts';
import { WallClock } from '../contracts/contract.ts';
import { describePresence } from '../contracts/presence.ts';
import { describeWith } from '../require.ts';

const START_MS = 120_000;

describeWith('engines', 'presence in Valkey', () => {
  let engines: Engines<'redis'>;
  beforeAll(async () => {
    engines = await startEngines({ only: ['redis'] });
  }, START_MS);
  afterAll(() => engines.stop());

  describePresence(
    'ValkeyPresence',
    () => {
      const port = new ValkeyPresence(engines.redis);
      return Promise.resolve({ port, clock: new WallClock(), close: () => port.close() });
    },
    { exactTime: false },
  );
});
