import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net';

/** A server that takes connections and never says a word, as one does that was stopped in its tracks. */
export class HangingServer {
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
