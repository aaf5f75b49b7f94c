import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Endpoint } from '../../../local/engine-calls.ts';

const HEADER_BYTES = 9;
const VERSION = 0x84;
const OP = { error: 0x00, query: 0x07, result: 0x08, prepare: 0x09, execute: 0x0a } as const;
const PREPARED = 0x0004;
/** "The request cannot be processed because the coordinator node is overloaded": it was not carried out. */
const OVERLOADED = 0x1001;
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
    const [asked, answered] = [frames(), frames()];
    client.on('data', (chunk: Buffer) => {
      for (const frame of asked(chunk)) {
        const [stream, opcode] = [frame.readInt16BE(2), frame[4]];
        if (opcode === OP.prepare && INSERT.test(longText(frame))) preparing.add(stream);
        if (this.refusesInserts && this.isInsert(frame)) {
          this.refused++;
          client.write(refusal(stream));
        } else server.write(frame);
      }
    });
    server.on('data', (chunk: Buffer) => {
      for (const frame of answered(chunk)) {
        const isPrepared = preparing.delete(frame.readInt16BE(2)) && frame[4] === OP.result;
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
    if (frame[4] === OP.query) return INSERT.test(longText(frame));
    return frame[4] === OP.execute && this.inserts.has(shortBytes(frame, 0));
  }
}

/** Cuts what comes into frames. */
function frames(): (chunk: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const whole: Buffer[] = [];
    while (rest.length >= HEADER_BYTES && rest.length >= HEADER_BYTES + rest.readUInt32BE(5)) {
      const end = HEADER_BYTES + rest.readUInt32BE(5);
      whole.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    return whole;
  };
}

function longText(frame: Buffer): string {
  return frame.subarray(HEADER_BYTES + 4, HEADER_BYTES + 4 + frame.readInt32BE(HEADER_BYTES)).toString();
}

/** The short bytes that stand so far behind the header. */
function shortBytes(frame: Buffer, offset: number): string {
  const at = HEADER_BYTES + offset;
  return frame.subarray(at + 2, at + 2 + frame.readUInt16BE(at)).toString('hex');
}

function refusal(stream: number): Buffer {
  const text = Buffer.from(REFUSAL);
  const frame = Buffer.alloc(HEADER_BYTES + 6);
  frame[0] = VERSION;
  frame.writeInt16BE(stream, 2);
  frame[4] = OP.error;
  frame.writeUInt32BE(6 + text.length, 5);
  frame.writeInt32BE(OVERLOADED, HEADER_BYTES);
  frame.writeUInt16BE(text.length, HEADER_BYTES + 4);
  return Buffer.concat([frame, text]);
}
