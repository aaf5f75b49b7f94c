import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { cqlFrames, ERROR, errorFrame, HEADER_BYTES, OP, statementOf, streamOf } from '../../../local/aws/cql-frame.ts';
import type { Endpoint } from '../../../local/engine-calls.ts';

const PREPARED = 0x0004;
const REFUSAL = 'no write is taken';
const INSERT = /^\s*INSERT\s/i;

/** Before Cassandra: reads pass, and inserts are answered with an error, when it is told so. */
export class CqlNetwork {
  readonly host = '127.0.0.1';
  port = 0;
  refusesInserts = false;
  /** Inserts that were refused since the start. */
  refused = 0;
  /** Ids of prepared inserts: every connection may use what another one has prepared. */
  private readonly inserts = new Set<string>();
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((client) => this.take(client));

  constructor(private readonly target: Endpoint) {}

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, this.host, resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private take(client: Socket): void {
    const server = connect(this.target.port, this.target.host);
    const preparing = new Set<number>();
    const [asked, answered] = [cqlFrames(), cqlFrames()];
    client.on('data', (chunk: Buffer) => {
      for (const frame of asked.push(chunk)) {
        const [stream, opcode] = [streamOf(frame), frame[4]];
        if (opcode === OP.prepare && INSERT.test(statementOf(frame))) preparing.add(stream);
        if (this.refusesInserts && this.isInsert(frame)) {
          this.refused++;
          // "Overloaded": it was not carried out.
          client.write(errorFrame(stream, ERROR.overloaded, REFUSAL));
        } else server.write(frame);
      }
    });
    server.on('data', (chunk: Buffer) => {
      for (const frame of answered.push(chunk)) {
        const isPrepared = preparing.delete(streamOf(frame)) && frame[4] === OP.result;
        if (isPrepared && frame.readInt32BE(HEADER_BYTES) === PREPARED) this.inserts.add(shortBytes(frame, 4));
        client.write(frame);
      }
    });
    const pairs = [
      [client, server],
      [server, client],
    ] as const;
    for (const [one, other] of pairs) {
      this.sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroySoon();
      });
    }
  }

  private isInsert(frame: Buffer): boolean {
    if (frame[4] === OP.query) return INSERT.test(statementOf(frame));
    return frame[4] === OP.execute && this.inserts.has(shortBytes(frame, 0));
  }
}

/** The short bytes that stand so far behind the header. */
function shortBytes(frame: Buffer, offset: number): string {
  const at = HEADER_BYTES + offset;
  return frame.subarray(at + 2, at + 2 + frame.readUInt16BE(at)).toString('hex');
}
