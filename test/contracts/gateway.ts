import { LIMITS } from '@parley/protocol';
import type { Gateway } from '../../lambdas/ports/gateway/port.ts';
import { until } from './contract.ts';

/** A client at the other end of a socket. */
export interface GatewayClient {
  readonly connectionId: string;
  /** The text messages that came, in order. */
  readonly received: readonly string[];
  /** The close code, once the socket is closed. */
  readonly closeCode: () => number | undefined;
  /** Stops, or goes on, taking anything from the network. */
  pause(): void;
  resume(): void;
  leave(): Promise<void>;
}

export interface OpenedGateway {
  readonly port: Gateway;
  connect(): Promise<GatewayClient>;
  close(): Promise<void>;
}

/** One suite for every `Gateway`. */
export function describeGateway(name: string, open: () => Promise<OpenedGateway>): void {
  describe(`${name} keeps the Gateway contract`, () => {
    let at: OpenedGateway;

    beforeAll(async () => {
      at = await open();
    });
    afterAll(() => at.close());

    it('gets messages to a connection as they are, in the order of the posts, and to no other', async () => {
      const [ana, ben] = [await at.connect(), await at.connect()];
      const messages = ['{"a":1}', 'e\u0301 \u{1F469}\u200d\u{1F4BB}', '\u0001 "quoted"', 'x'.repeat(40_000)];
      for (const message of messages) expect(await at.port.post(ana.connectionId, message)).toBe('sent');
      await until(() => ana.received.length >= messages.length);
      expect(ana.received).toEqual(messages);
      expect(ben.received).toEqual([]);
    });

    it('carries a message of the largest size', async () => {
      const ana = await at.connect();
      const message = 'x'.repeat(LIMITS.messageMaxBytes);
      expect(await at.port.post(ana.connectionId, message)).toBe('sent');
      await until(() => ana.received.length > 0);
      expect(ana.received).toEqual([message]);
    });

    it('carries many posts to many connections at once', async () => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => at.connect()));
      const posts = clients.flatMap((client, i) =>
        Array.from({ length: 20 }, (_, n) => at.port.post(client.connectionId, `${i}-${n}`)),
      );
      expect(new Set(await Promise.all(posts))).toEqual(new Set(['sent']));
      await until(() => clients.every(({ received }) => received.length === 20));
      clients.forEach(({ received }, i) => {
        expect([...received].sort()).toEqual(Array.from({ length: 20 }, (_, n) => `${i}-${n}`).sort());
      });
    });

    it('says that a connection is gone when its client has left, or there never was one', async () => {
      const ana = await at.connect();
      await ana.leave();
      expect(await at.port.post(ana.connectionId, 'hello')).toBe('gone');
      expect(await at.port.post('AAAAAAAAAAAAAAA=', 'hello')).toBe('gone');
      expect(await at.port.post('no id/at all?', 'hello')).toBe('gone');
    });

    it('says that a connection is throttled when its client takes nothing', async () => {
      const slow = await at.connect();
      slow.pause();
      const message = 'x'.repeat(LIMITS.messageMaxBytes);
      let result = 'sent';
      for (let i = 0; i < 400 && result === 'sent'; i++) result = await at.port.post(slow.connectionId, message);
      expect(result).toBe('throttled');
      slow.resume();
      await at.port.close(slow.connectionId);
    });

    it('closes a connection, which is gone then; closing it again is no error', async () => {
      const ana = await at.connect();
      await at.port.close(ana.connectionId);
      await until(() => ana.closeCode() !== undefined);
      expect(await at.port.post(ana.connectionId, 'hello')).toBe('gone');
      await at.port.close(ana.connectionId);
      await at.port.close('AAAAAAAAAAAAAAA=');
    });
  });
}
