import type { ParleyClient } from '@parley/client';

type Person = Awaited<ReturnType<ParleyClient['people']>>[number];

/** The names of the workspace's people. Asks the server when it is refreshed, and once for each user that it does not know. */
export class People {
  #byId = new Map<string, string>();
  readonly #askedFor = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #refreshing: Promise<void> | undefined;
  #isWanted = false;
  #version = 0;

  constructor(
    readonly client: Pick<ParleyClient, 'people' | 'state' | 'on'>,
    self: { readonly userId: string; readonly name: string },
  ) {
    this.#byId.set(self.userId, self.name);
    client.on('state', () => {
      if (client.state === 'online' && this.#isWanted) void this.refresh().catch(() => undefined);
    });
  }

  /** Everyone known, by name. */
  get all(): { userId: string; name: string }[] {
    return [...this.#byId]
      .map(([userId, name]) => ({ userId, name }))
      .sort((a, b) => a.name.localeCompare(b.name) || (a.userId < b.userId ? -1 : 1));
  }

  /** Counts what was learned. */
  get version(): number {
    return this.#version;
  }

  /** The user's name, or the id until the name is known. */
  nameOf(userId: string): string {
    const name = this.#byId.get(userId);
    if (name === undefined && !this.#askedFor.has(userId)) {
      this.#askedFor.add(userId);
      this.#isWanted = true;
      // Off the render that asks.
      if (this.client.state === 'online') queueMicrotask(() => void this.refresh().catch(() => undefined));
    }
    return name ?? userId;
  }

  /** Reads the people again; calls at the same time share one read. Rejects with a ParleyError where that fails. */
  refresh(): Promise<void> {
    this.#isWanted = false;
    this.#refreshing ??= this.client
      .people()
      .then((people) => this.#take(people))
      .finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** Calls back when a name was learned. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #take(people: readonly Person[]): void {
    const next = new Map(this.#byId);
    for (const { userId, name } of people) next.set(userId, name ?? next.get(userId) ?? userId);
    this.#byId = next;
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}
