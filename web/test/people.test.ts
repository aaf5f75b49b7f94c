import type { ParleyClient } from '@parley/client';
import { People } from '../src/model/people.ts';

type Client = ConstructorParameters<typeof People>[0];
type State = ParleyClient['state'];

/** A client whose people and state the test decides. */
class FakeClient implements Client {
  state: State = 'online';
  reads = 0;
  answer: () => Promise<{ userId: string; name?: string }[]> = () => Promise.resolve([{ userId: 'ben', name: 'Ben' }]);
  #listener: (() => void) | undefined;

  readonly people = (): ReturnType<ParleyClient['people']> => {
    this.reads += 1;
    return this.answer();
  };

  readonly on: ParleyClient['on'] = (_event, listener) => {
    this.#listener = listener as () => void;
    return () => undefined;
  };

  become(state: State): void {
    this.state = state;
    this.#listener?.();
  }
}

const nextChange = (people: People): Promise<void> => new Promise((resolve) => people.subscribe(resolve));
const ANA = { userId: 'ana', name: 'Ana' };

it('knows oneself without asking', () => {
  const client = new FakeClient();
  expect(new People(client, ANA).nameOf('ana')).toBe('Ana');
  expect(client.reads).toBe(0);
});

it('shows the id until the name is known, and asks once for it', async () => {
  const client = new FakeClient();
  const people = new People(client, ANA);
  const changed = nextChange(people);
  expect(people.nameOf('ben')).toBe('ben');
  expect(people.nameOf('ben')).toBe('ben');
  await changed;
  expect(people.nameOf('ben')).toBe('Ben');
  expect(people.all.map(({ name }) => name)).toEqual(['Ana', 'Ben']);
  expect(client.reads).toBe(1);
});

it('does not go on asking for somebody whom the server does not know', async () => {
  const client = new FakeClient();
  const people = new People(client, ANA);
  const changed = nextChange(people);
  people.nameOf('nobody');
  await changed;
  expect(people.nameOf('nobody')).toBe('nobody');
  await Promise.resolve();
  expect(client.reads).toBe(1);
});

it('asks when the connection is there, not before', async () => {
  const client = new FakeClient();
  client.state = 'connecting';
  const people = new People(client, ANA);
  people.nameOf('ben');
  await Promise.resolve();
  expect(client.reads).toBe(0);
  const changed = nextChange(people);
  client.become('online');
  await changed;
  expect(people.nameOf('ben')).toBe('Ben');
});

it('tells the caller of a refresh that it failed, and can be asked again', async () => {
  const client = new FakeClient();
  const people = new People(client, ANA);
  const good = client.answer;
  client.answer = () => Promise.reject(new Error('no answer'));
  await expect(people.refresh()).rejects.toThrow('no answer');
  client.answer = good;
  await people.refresh();
  expect(people.nameOf('ben')).toBe('Ben');
});

it('shares a read between those who ask at the same time', async () => {
  const client = new FakeClient();
  const people = new People(client, ANA);
  await Promise.all([people.refresh(), people.refresh()]);
  expect(client.reads).toBe(1);
});
