import { FrameReader } from './tls-proxy.ts';

/** Of the native protocol, version 4: version, flags, stream (2), opcode, length of the body (4). */
export const CQL_VERSION = 4;
export const HEADER_BYTES = 9;
/** What Cassandra takes at most, too. */
const FRAME_MAX_BYTES = 256 * 1024 * 1024;

export const OP = {
  error: 0x00,
  startup: 0x01,
  ready: 0x02,
  authenticate: 0x03,
  options: 0x05,
  query: 0x07,
  result: 0x08,
  prepare: 0x09,
  execute: 0x0a,
  batch: 0x0d,
  challenge: 0x0e,
  authResponse: 0x0f,
  authSuccess: 0x10,
} as const;

export const ERROR = { protocol: 0x000a, badCredentials: 0x0100, overloaded: 0x1001, unauthorized: 0x2100 } as const;

/** Cuts what comes over one direction of a connection into whole frames. */
export function cqlFrames(): FrameReader {
  const lengthOf = (bytes: Buffer): number | undefined =>
    bytes.length < HEADER_BYTES ? undefined : HEADER_BYTES + bytes.readUInt32BE(5);
  return new FrameReader(lengthOf, FRAME_MAX_BYTES);
}

export function streamOf(frame: Buffer): number {
  return frame.readInt16BE(2);
}

/** What a frame of `query` or `prepare` asks for. */
export function statementOf(frame: Buffer): string {
  return frame.subarray(HEADER_BYTES + 4, HEADER_BYTES + 4 + frame.readInt32BE(HEADER_BYTES)).toString();
}

export function answerFrame(stream: number, opcode: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = 0x80 | CQL_VERSION;
  header.writeInt16BE(stream, 2);
  header[4] = opcode;
  header.writeUInt32BE(body.length, 5);
  return Buffer.concat([header, body]);
}

export function errorFrame(stream: number, code: number, message: string): Buffer {
  const body = Buffer.alloc(4);
  body.writeInt32BE(code);
  return answerFrame(stream, OP.error, Buffer.concat([body, shortText(message)]));
}

export function shortText(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}
