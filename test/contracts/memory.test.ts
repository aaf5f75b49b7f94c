import { MemoryDirectory } from '../../lambdas/ports/directory/memory.ts';
import { MemoryEventStream } from '../../lambdas/ports/event-stream/memory.ts';
import { MemoryMessageLog } from '../../lambdas/ports/message-log/memory.ts';
import { MemoryPresence } from '../../lambdas/ports/presence/memory.ts';
import { ManualClock, type Opened } from './contract.ts';
import { describeDirectory } from './directory.ts';
import { describeEventStream } from './event-stream.ts';
import { describeMessageLog } from './message-log.ts';
import { describePresence } from './presence.ts';

/** Opens an implementation that lives in this process. */
function inMemory<P>(make: (now: () => number) => P): () => Promise<Opened<P>> {
  return () => {
    const clock = new ManualClock();
    return Promise.resolve({ port: make(clock.now), clock, close: () => Promise.resolve() });
  };
}

describeMessageLog(
  'MemoryMessageLog',
  inMemory((now) => new MemoryMessageLog(now)),
  { exactTime: true },
);
describeDirectory(
  'MemoryDirectory',
  inMemory((now) => new MemoryDirectory(now)),
);
describePresence(
  'MemoryPresence',
  inMemory((now) => new MemoryPresence(now)),
  { exactTime: true },
);

describeEventStream('MemoryEventStream', () => {
  const stream = new MemoryEventStream();
  return Promise.resolve({
    port: stream,
    consume: (consumer) => stream.consume(consumer),
    parked: () => Promise.resolve(stream.parked),
    close: () => {
      stream.close();
      return Promise.resolve();
    },
  });
});
