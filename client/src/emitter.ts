import type { ClientEvents } from './types.ts';

type Listener<E extends keyof ClientEvents> = (value: ClientEvents[E]) => void;

/** Tells listeners. One that throws disturbs neither the client nor the other listeners. */
export class Emitter {
  private readonly listeners: { [E in keyof ClientEvents]?: Set<Listener<E>> } = {};
  private changePending = false;

  on<E extends keyof ClientEvents>(event: E, listener: Listener<E>): () => void {
    const set: Set<Listener<E>> = (this.listeners[event] ??= new Set<never>());
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<E extends keyof ClientEvents>(event: E, value: ClientEvents[E]): void {
    const set = this.listeners[event];
    for (const listener of [...(set ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        // The fault of the listener must be seen, as that of any other callback.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Emits `change` once, however often it is called before the current turn ends. */
  change(): void {
    if (this.changePending) return;
    this.changePending = true;
    queueMicrotask(() => {
      this.changePending = false;
      this.emit('change', undefined);
    });
  }

  clear(): void {
    for (const set of Object.values(this.listeners)) set.clear();
  }
}
