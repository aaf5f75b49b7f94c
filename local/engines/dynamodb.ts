import type { EngineKind } from './engine.ts';
import { JVM_ENGINES } from './jars.ts';
import { javaCommand } from './java.ts';
import { ask } from './probe.ts';

const HEAP = '192m';
const MAIN = 'software.amazon.dynamodb.services.local.main.ServerRunner';

export const dynamodb: EngineKind = {
  title: JVM_ENGINES.dynamodb.title,
  portCount: 1,
  prepare: (place) =>
    javaCommand(place, HEAP, [
      ...['-cp', `${place.fetched}/*`, MAIN],
      ...['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(place.ports[0])],
    ]),
  // Any HTTP answer will do: it refuses what is not signed.
  isReady: async (port) =>
    (await ask(port, Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')))
      .subarray(0, 5)
      .toString() === 'HTTP/',
};
