/** What became of a post. */
export type PostResult =
  | 'sent'
  /** The connection is no more. */
  | 'gone'
  /** Too many posts, or a slow client whose buffer is full. */
  | 'throttled';

/** The sockets, through the `@connections` API. */
export interface Gateway {
  /**
   * Writes one text message (at most `messageMaxBytes`) to a connection. `sent` says that the gateway took it, not that it arrived.
   * @throws {Unavailable} no answer: unknown whether it was sent.
   */
  post(connectionId: string, message: string): Promise<PostResult>;
  /** Closes a connection. Closing one that is gone is no error. @throws {Unavailable} */
  close(connectionId: string): Promise<void>;
}
