import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { until } from '../../runtime/fixtures.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Answers `>` before whatever it gets. */
async function startEcho(): Promise<{ server: Server; port: number; sockets: Socket[]; heard: () => string }> {
  let heard = '';
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      socket.write(`>${chunk.toString()}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, sockets, heard: () => heard };
}

describe('a network of which faults can be asked', () => {
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let proxy: TcpProxy;
  let clients: Socket[];

  beforeEach(async () => {
    clients = [];
    echo = await startEcho();
    proxy = new TcpProxy({ host: '127.0.0.1', port: echo.port });
    await proxy.listen();
  });
  afterEach(async () => {
    for (const socket of [...clients, ...echo.sockets]) socket.destroy();
    await proxy.close();
    await new Promise((resolve) => echo.server.close(resolve));
  });

  async function dial() {
    const socket = connect(proxy.port, proxy.host);
    clients.push(socket);
    const said = { text: '', ended: false, startedAtMs: Date.now() };
    socket.on('data', (chunk: Buffer) => (said.text += chunk.toString()));
    socket.on('close', () => (said.ended = true));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return { socket, said };
  }

  it('passes everything both ways when nothing is asked, and the end', async () => {
    const { socket, said } = await dial();
    const long = 'x'.repeat(3_000_000);
    socket.write(long);
    await until(() => said.text.length >= long.length, 'everything came back');
    expect(said.text.replaceAll('>', '')).toBe(long);
    socket.end();
    await until(() => said.ended && echo.sockets[0]?.readableEnded === true, 'both sides have ended');
  });

  it('delays by that long, and keeps the order', async () => {
    proxy.set('toClient', { delayMs: 150 });
    const { socket, said } = await dial();
    const startedAtMs = Date.now();
    socket.write('a');
    await until(() => echo.heard() === 'a', 'the way there is not delayed');
    socket.write('b');
    await until(() => said.text === '>a>b', 'both came back');
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(145);
  });

  it('passes one direction only, and what was held when it heals', async () => {
    const { socket, said } = await dial();
    proxy.set('toClient', { hold: true });
    socket.write('lost?');
    await until(() => echo.heard() === 'lost?', 'it was heard');
    socket.write('again');
    await until(() => echo.heard() === 'lost?again', 'it was heard');
    expect(said.text).toBe('');
    await proxy.heal();
    await until(() => said.text === '>lost?>again', 'what was held came');
  });

  it('cuts after so many bytes', async () => {
    proxy.set('toClient', { cutAfterBytes: 3 });
    const { socket, said } = await dial();
    socket.write('hello');
    await until(() => said.ended, 'it was cut');
    expect(said.text).toBe('>he');
    await until(() => echo.sockets[0]?.destroyed === true, 'the server knows');
  });

  it('is half open: silent, and neither side learns that the other has gone', async () => {
    const { socket, said } = await dial();
    socket.write('a');
    await until(() => said.text === '>a', 'it works');
    proxy.halfOpen();
    socket.destroy();
    const server = echo.sockets[0]!;
    server.write('are you there?');
    await until(() => said.ended, 'the client has gone');
    // Whatever the network would tell, it has told by now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.destroyed).toBe(false);
    await proxy.heal();
    await until(() => server.destroyed, 'the server learns of it');
  });

  it('throttles', async () => {
    proxy.set('toClient', { bytesPerSecond: 10_000 });
    const { socket, said } = await dial();
    const startedAtMs = Date.now();
    socket.write('x'.repeat(3_000));
    await until(() => said.text.replaceAll('>', '').length === 3_000, 'all of it came');
    expect(Date.now() - startedAtMs).toBeGreaterThan(200);
  });

  it('cuts open connections and refuses new ones, until it is healed on the same port', async () => {
    const { said } = await dial();
    const { port } = proxy;
    await proxy.refuse();
    await until(() => said.ended, 'it was cut');
    const refused = connect(port, proxy.host);
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    const again = await dial();
    again.socket.write('a');
    await until(() => again.said.text === '>a', 'it works again');
  });
});
