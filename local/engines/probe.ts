import { connect } from 'node:net';

const TIMEOUT_MS = 2_000;

/** Sends bytes to a port of the loopback address and resolves with the first bytes of the answer; with nothing when there is none. */
export function ask(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: Buffer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIMEOUT_MS, () => settle(Buffer.alloc(0)));
    socket.on('error', () => settle(Buffer.alloc(0)));
    socket.on('close', () => settle(Buffer.alloc(0)));
    socket.on('data', settle);
    socket.write(request);
  });
}
