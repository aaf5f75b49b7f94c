import { ValkeyPresence } from '../../lambdas/ports/presence/valkey.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { HangingServer } from './support/hanging-server.ts';
import { Stage } from './support/stage.ts';

describe('a cache that hangs', () => {
  let cache: HangingServer;
  let presence: ValkeyPresence;
  let clockMs = 1_700_000_000_000;
  beforeEach(async () => {
    cache = new HangingServer();
    presence = new ValkeyPresence({ host: '127.0.0.1', port: await cache.listen(), now: () => clockMs });
  });
  afterEach(async () => {
    await presence.close();
    await cache.close();
  });

  it('is waited for once, and not again for a while', async () => {
    await expect(presence.isMarked('a')).rejects.toThrow('no answer within');
    for (let i = 0; i < 100; i++) await expect(presence.isMarked('a')).rejects.toThrow('did not answer just now');
    clockMs += 2_000;
    const again = presence.isMarked('a');
    await expect(again).rejects.toThrow(Unavailable);
    await expect(again).rejects.toThrow('no answer within');
  });

  it('keeps no message from being sent, and leaves a lower limit of rates', async () => {
    const stage = new Stage((services) => ({ ...services, presence }));
    const [ana, ben] = [await stage.connect('ana'), await stage.connect('ben')];
    const group = await stage.group(ana, ben);
    const startedAt = performance.now();
    let sent = 0;
    for (; sent < 40; sent++) await ana.send(group);
    // One wait for all of them: the bound of a call times forty would be many seconds.
    expect(performance.now() - startedAt).toBeLessThan(40 * 250);
    await stage.settled();
    expect(ben.events.filter(({ type }) => type === 'entry')).toHaveLength(sent);
  });
});
