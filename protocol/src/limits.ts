/** Every loop, page, queue and payload of Parley is bounded here. Units stand last in the names. */
export const LIMITS = {
  /** One WebSocket frame; API Gateway closes with 1009 above it (API Gateway quota). */
  frameMaxBytes: 32 * 1024,
  /** One WebSocket message, all its frames together (API Gateway quota). */
  messageMaxBytes: 128 * 1024,
  /** Nesting of a request, the frame itself counted as 1. */
  depthMax: 16,
  /** Keys of all objects of one request together. */
  keysMax: 4_096,
  /** Length of one key of a request. */
  keyMaxChars: 128,
  /** The client's id of a request. */
  requestIdMaxChars: 64,
  /** Text of one message, in UTF-8. */
  textMaxBytes: 16 * 1024,
  titleMaxChars: 100,
  nameMaxChars: 64,
  userIdMaxChars: 128,
  workspaceIdMaxChars: 64,
  deviceIdMaxChars: 64,
  mentionsMax: 50,
  /** Edits of one message. */
  messageEditsMax: 100,
  /** How long after it was sent a message can be edited. */
  messageEditWindowMs: 24 * 60 * 60 * 1_000,
  /** Members of a group, its creator included. */
  groupMembersMax: 500,
  /** Up to here a conversation carries its members; beyond, `member.list` pages through them. */
  rosterInlineMax: 32,
  /** Up to here receipts are pushed to the other members; beyond, `receipts.get` answers. */
  receiptPushMembersMax: 32,
  /** Above it a conversation is delivered through the stream only. */
  directMembersMax: 64,
  /** How long `send` waits for the direct delivery before it leaves the rest to the stream. */
  directDeadlineMs: 1_000,
  cursorsMax: 500,
  /** Conversations in one answer of `session.start` or `conversation.list`. */
  conversationPageMax: 50,
  /** Entries of one conversation in an answer of `session.start`; more are fetched by `log.sync`. */
  sessionEntriesMax: 50,
  /** Bytes of entries in one answer: leaves room for the rest below `messageMaxBytes`. */
  answerEntriesMaxBytes: 96 * 1024,
  syncLimitMax: 200,
  syncLimitDefault: 100,
  pageLimitMax: 100,
  pageLimitDefault: 50,
  memberPageMax: 100,
  watchedUsersMax: 200,
  heartbeatHeadsMax: 200,
  heartbeatIntervalMs: 30_000,
  /** Presence ends this long after the last heartbeat: 1.5 intervals. */
  presenceTtlMs: 45_000,
  /** A typing event ends by itself after this time. */
  typingTtlMs: 6_000,
  /** At most one typing event per member and conversation in this time. */
  typingCoalesceMs: 3_000,
  /** A number without a row may be declared void from this age on. */
  voidAfterMs: 10_000,
  /** How long the outbox gathers numbers before `repair` looks at them: most are published by then. */
  repairWindowMs: 30_000,
  /** Numbers of one request to `repair`, `sync` asks for so many at a time. */
  repairNumbersMax: 32,
  /** After a number was taken, heartbeats look heads up for this long: its sender may have died before it told anybody. */
  takingMs: 60_000,
  /** How long a repeat of a send is recognised. */
  dedupeTtlMs: 48 * 60 * 60 * 1_000,
  /** How long an entry is kept. */
  entryTtlMs: 365 * 24 * 60 * 60 * 1_000,
  /** Numbers whose ids stand in the head itself; the older ones stand in blocks of this size. */
  headIdsMax: 32,
  /** Attempts of one append to get a number and a place in the log. */
  appendAttemptsMax: 8,
  /** A socket lives 2 h (API Gateway quota); the server says so in `socketEndsAtMs`. */
  socketMaxMs: 2 * 60 * 60 * 1_000,
  /** A handshake is pending for this long at most: the integration time-out of API Gateway, 29 s, and a little. */
  handshakeMaxMs: 30_000,
  connectionsPerUserMax: 10,
  /** Posts of one `deliver` call under way at once. */
  postsInFlightMax: 64,
  /** How long one connection may keep `deliver` waiting, all its posts of a batch together, before another attempt is not made. */
  postConnectionMaxMs: 1_000,
  /** How long one post may take. */
  postMaxMs: 1_000,
  /** Attempts of one post that is throttled, before that connection is dropped. */
  postAttemptsMax: 3,
  /** Attempts of one record of the stream, before it is parked. */
  recordAttemptsMax: 3,
  /** Entries that a conversation takes: its head is one item, which takes so many writes (DynamoDB quota per partition). */
  conversationEntriesPerSecond: 1_000,
  /** A request that takes longer is a sign of overload. */
  slowRequestMs: 500,
  /** When to come again with a request that was shed. */
  shedRetryAfterMs: 5_000,
  /** Clock difference between token issuer and Parley that is forgiven. */
  clockSkewMaxMs: 60_000,
} as const;
