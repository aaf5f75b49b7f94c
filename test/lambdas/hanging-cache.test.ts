import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net';
import { ValkeyPresence } from '../../lambdas/ports/presence/valkey.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { Stage } from './support/stage.ts';

/** A cache that takes connections and never says a word, as one does that was stopped in its tracks. */
class HangingCache {
  readonly sockets: TcpSocket[] = [];
  private readonly server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    this.sockets.push(socket);
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

describe('a cache that hangs', () => {
  let cache: HangingCache;
  let presence: ValkeyPresence;
  let clockMs = 1_700_000_000_000;
  beforeEach(async () => {
    cache = new HangingCache();
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
