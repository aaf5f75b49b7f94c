import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import type { Certificate } from './certificate.ts';

/** What happens between one client and the engine behind the proxy. Both are told of what arrives, in pieces as it comes. */
export interface Session {
  fromClient(chunk: Buffer): void;
  fromServer(chunk: Buffer): void;
}

export interface TlsProxyOptions {
  readonly certificate: Certificate;
  readonly target: { readonly host: string; readonly port: number };
  readonly open: (client: Socket, server: Socket) => Session;
  readonly log: (line: string) => void;
}

/** Takes TLS in front of an engine that speaks none, and lets a session look at what is said. */
export class TlsProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor({ certificate, target, open, log }: TlsProxyOptions) {
    this.server = createServer(certificate, (client) => {
      const server = connect(target.port, target.host);
      const end = (): void => {
        client.destroy();
        server.destroy();
      };
      for (const socket of [client, server]) {
        this.sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', end);
        socket.on('close', () => {
          this.sockets.delete(socket);
          end();
        });
      }
      const session = open(client, server);
      const guarded = (work: (chunk: Buffer) => void) => (chunk: Buffer) => {
        try {
          work(chunk);
        } catch (error) {
          log(`a connection was cut: ${String(error)}`);
          end();
        }
      };
      client.on(
        'data',
        guarded((chunk) => session.fromClient(chunk)),
      );
      server.on(
        'data',
        guarded((chunk) => session.fromServer(chunk)),
      );
    });
    this.server.on('tlsClientError', () => undefined);
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** Cuts a stream of bytes into frames. `lengthOf` tells how long the frame at the start of the bytes is, or undefined while that cannot be seen. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly lengthOf: (bytes: Buffer) => number | undefined,
    private readonly frameMaxBytes: number,
  ) {}

  /** @throws for a frame that is longer than any that makes sense */
  *push(chunk: Buffer): Generator<Buffer> {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const length = this.lengthOf(this.rest);
      if (length !== undefined && (length <= 0 || length > this.frameMaxBytes))
        throw new Error(`a frame of ${length} bytes`);
      if (length === undefined || this.rest.length < length) return;
      const frame = this.rest.subarray(0, length);
      this.rest = this.rest.subarray(length);
      yield frame;
    }
  }
}
