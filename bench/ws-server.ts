import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { serveBench } from './serve.ts';

/** The floor: what one Node process with bare `ws` does. A message that starts with `*` goes to all others, any other back to its sender. */
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    const message = data as Buffer;
    if (message[0] !== '*'.charCodeAt(0)) {
      socket.send(message, { binary: isBinary });
      return;
    }
    for (const other of sockets.clients) {
      if (other !== socket && other.readyState === WebSocket.OPEN) other.send(message, { binary: isBinary });
    }
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
serveBench({
  url: `ws://127.0.0.1:${port}`,
  close: () => {
    sockets.clients.forEach((socket) => socket.terminate());
    server.close();
    return Promise.resolve();
  },
});
