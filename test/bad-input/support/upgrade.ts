import { connect } from 'node:net';
import type { User } from './user.ts';
import type { World } from './world.ts';
import type { Given } from './refusals.ts';

export interface Upgrade {
  /** The offered sub-protocols, as the header says them; without it the header is left out. */
  readonly protocols?: string;
  /** More headers, byte for byte. */
  readonly headers?: readonly string[];
  readonly path?: string;
  readonly version?: string;
  /** Sent instead of an upgrade. */
  readonly plain?: boolean;
}

/**
 * The status that an upgrade is answered with. Written by hand, since no client sends what is tried here. 0 where the server cut the
 * connection without an answer.
 */
export async function upgradeStatus(world: World, upgrade: Upgrade): Promise<number> {
  const { protocols, headers = [], path = '/local', version = '13', plain = false } = upgrade;
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${world.app.port}`,
    ...(plain
      ? []
      : [
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          `Sec-WebSocket-Version: ${version}`,
        ]),
    ...(protocols === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocols}`]),
    ...headers,
  ];
  return new Promise((resolve) => {
    const socket = connect(world.app.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(0));
    socket.once('data', (answer) => {
      resolve(Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer.toString('latin1'))?.[1]));
      socket.destroy();
    });
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });
}

/** The header of a client that speaks `parley.v1` and offers these tokens. */
export function offering(...tokens: readonly string[]): string {
  return ['parley.v1', ...tokens.map((token) => `bearer.${token}`)].join(', ');
}

/**
 * Tries an upgrade and checks that it is refused with the status of the row, that no connection was stored, and that the
 * next good client gets in.
 */
export async function expectUpgradeRefused(given: Given, status: number, upgrade: Upgrade): Promise<void> {
  const { world, row } = given;
  expect(row.expected_code).toMatch(status === 401 || status === 403 ? String(status) : /4xx/);
  const stored = connectionsStored(world);
  expect({ upgrade: JSON.stringify(upgrade).slice(0, 200), status: await upgradeStatus(world, upgrade) }).toMatchObject(
    {
      status,
    },
  );
  expect(connectionsStored(world)).toBe(stored);
  expect(['refused', 'none']).toContain(row.expected_connection_state);
  const wire = await world.connect();
  await wire.call('heartbeat', {});
  wire.socket.close();
}

/** How often a connection was stored so far. */
export function connectionsStored(world: World): number {
  return world.portCalls.filter(({ method }) => method === 'addConnection').length;
}

/** A good token of a new user. */
export async function tokenOf(world: World, user: User = world.newUser()): Promise<string> {
  return world.token(user);
}
