import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineKind } from './engine.ts';
import { ask } from './probe.ts';
import { MINISTACK_TITLE, pythonIn } from './python.ts';

/** SQS and S3. With AUTH it takes calls of nobody whose key it does not know. */
export const ministack: EngineKind = {
  title: MINISTACK_TITLE,
  portCount: 1,
  prepare({ dir, fetched, ports: [port] }) {
    const tmp = join(dir, 'tmp');
    mkdirSync(tmp, { recursive: true });
    return {
      file: pythonIn(fetched),
      args: ['-m', 'ministack'],
      cwd: dir,
      // Nothing of ours: it reads dozens of names.
      env: {
        PATH: '/usr/bin:/bin',
        HOME: dir,
        TMPDIR: tmp,
        PYTHONUNBUFFERED: '1',
        GATEWAY_PORT: String(port),
        BIND_HOST: '127.0.0.1',
        AUTH: 'true',
        MINISTACK_REGION: 'eu-west-1',
        SERVICES: 's3,sqs',
        IOT_MTLS_ENABLED: '0',
        S3_PERSIST: '1',
        S3_DATA_DIR: join(dir, 's3'),
        PERSIST_STATE: '1',
        STATE_DIR: join(dir, 'state'),
      },
    };
  },
  isReady: async (port) =>
    (await ask(port, Buffer.from('GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')))
      .toString()
      .startsWith('HTTP/1.1 200'),
};
