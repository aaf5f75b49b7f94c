import type { Message } from './types.ts';

/** A reader that falls this far behind is told so instead of filling the memory. */
const BUFFERED_MAX = 10_000;

/** Messages handed from the client to one `for await` loop, each once, in the order in which they came. */
export class MessageIterator implements AsyncIterableIterator<Message, undefined> {
  private readonly buffer: Message[] = [];
  private readonly readers: {
    resolve: (result: IteratorResult<Message, undefined>) => void;
    reject: (e: Error) => void;
  }[] = [];
  private ended = false;
  private failure: Error | undefined;

  /**
   * @param conversationId the only one wanted; undefined for all.
   * @param released called once, when no message is wanted any more.
   */
  constructor(
    private readonly conversationId: string | undefined,
    private readonly released: (iterator: MessageIterator) => void,
  ) {}

  push(message: Message): void {
    if (this.conversationId !== undefined && this.conversationId !== message.conversationId) return;
    const reader = this.readers.shift();
    if (reader) reader.resolve({ done: false, value: message });
    else if (this.buffer.length < BUFFERED_MAX) this.buffer.push(message);
    else this.end(new Error(`More than ${BUFFERED_MAX} messages wait for the loop over client.entries().`));
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    const message = this.buffer.shift();
    if (message) return Promise.resolve({ done: false, value: message });
    if (this.failure) return Promise.reject(this.failure);
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.readers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Message, undefined>> {
    this.buffer.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** What is buffered can still be read; after it the loop ends, or throws `failure`. */
  end(failure?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    this.released(this);
    for (const reader of this.readers.splice(0)) {
      if (failure) reader.reject(failure);
      else reader.resolve({ done: true, value: undefined });
    }
  }
}
