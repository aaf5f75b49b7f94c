import { memoryStorage } from '../src/index.ts';
import { Store } from '../src/store.ts';
import { Timers } from '../src/timers.ts';
import { ManualClock } from './harness.ts';

describe('a write that failed', () => {
  it('is repeated, and what was changed meanwhile wins over it', async () => {
    const storage = memoryStorage();
    const clock = new ManualClock();
    let refuse: (() => void) | undefined;
    let writes = 0;
    const failing = {
      ...storage,
      write: (changes: Parameters<typeof storage.write>[0]) =>
        ++writes === 1
          ? new Promise<void>((_, reject) => (refuse = () => reject(new Error('quota'))))
          : storage.write(changes),
    };
    const store = new Store(failing, new Timers(clock), () => undefined);
    const put = (key: string, text: string): void =>
      store.putSend({ key, conversationId: 'c', content: { type: 'text', text }, createdAtMs: 1, place: 0 });
    put('a', 'old');
    put('b', 'only');
    const first = store.flush();
    while (!refuse) await Promise.resolve();
    put('a', 'new');
    refuse();
    await expect(first).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    clock.advance(5_000);
    await store.flush();
    expect((await store.sends()).map(({ key, content }) => [key, content.text])).toEqual([
      ['a', 'new'],
      ['b', 'only'],
    ]);
  });
});
