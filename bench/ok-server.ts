import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers 200 to everything, as soon as it has it all. */
const server = createServer((request, response) => {
  request.resume().on('end', () => response.end());
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
