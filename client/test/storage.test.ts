import 'fake-indexeddb/auto';
import { indexedDbStorage, memoryStorage, type Storage } from '../src/index.ts';

let opened = 0;
const kinds: [string, () => () => Storage][] = [
  [
    'memory',
    () => {
      const storage = memoryStorage();
      return () => storage;
    },
  ],
  [
    'IndexedDB',
    () => {
      const name = `test ${++opened}`;
      return () => indexedDbStorage(name);
    },
  ],
];

describe.each(kinds)('the %s storage', (_, make) => {
  let reopen: () => Storage;
  let storage: Storage;
  beforeEach(() => {
    reopen = make();
    storage = reopen();
  });
  afterEach(() => storage.close());

  it('gives back what was put, and undefined for what was not', async () => {
    const value = { text: '\ud83d\ude00 \u0000', list: [1, { deep: null }], map: new Map([['a', 1]]) };
    await storage.write([{ put: 'a', value }]);
    expect(await storage.get('a')).toEqual(value);
    expect(await storage.get('b')).toBeUndefined();
  });

  it('lists what starts with the prefix, in the order of the keys, and nothing else', async () => {
    await storage.write(['e/b', 'e/a', 'f/a', 'e', 'e/a/1', 'd/z'].map((put) => ({ put, value: put })));
    expect(await storage.list('e/')).toEqual([
      ['e/a', 'e/a'],
      ['e/a/1', 'e/a/1'],
      ['e/b', 'e/b'],
    ]);
    expect(await storage.list('x')).toEqual([]);
    expect(await storage.list('')).toHaveLength(6);
  });

  it('applies changes in their order', async () => {
    await storage.write([{ put: 'a', value: 1 }, { delete: 'a' }, { put: 'b', value: 1 }, { put: 'b', value: 2 }]);
    expect(await storage.list('')).toEqual([['b', 2]]);
  });

  it('applies all changes or none', async () => {
    await storage.write([{ put: 'a', value: 1 }]);
    const cannotBeStored = () => undefined;
    const batch = [{ delete: 'a' }, { put: 'b', value: 2 }, { put: 'c', value: cannotBeStored }];
    await expect((async () => storage.write(batch))()).rejects.toThrow();
    expect(await storage.list('')).toEqual([['a', 1]]);
  });

  it('does not share objects with its caller', async () => {
    const value = { n: 1 };
    await storage.write([{ put: 'a', value }]);
    value.n = 2;
    ((await storage.get('a')) as { n: number }).n = 3;
    expect(await storage.get('a')).toEqual({ n: 1 });
  });

  it('still has everything for the next one', async () => {
    await storage.write([{ put: 'a', value: 1 }]);
    storage.close();
    storage = reopen();
    expect(await storage.get('a')).toBe(1);
  });
});

it('two tabs write to one database without losing a change', async () => {
  const tabs = [indexedDbStorage('shared'), indexedDbStorage('shared')];
  await Promise.all(Array.from({ length: 40 }, (_, i) => tabs[i % 2]!.write([{ put: `k${i}`, value: i }])));
  expect(await tabs[0]!.list('k')).toHaveLength(40);
  for (const tab of tabs) tab.close();
});
