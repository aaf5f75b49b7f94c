/** The environment variables by which a deployment tells its functions where things are. A function has only those of what it may use. */
export const ENV = {
  /** Table names. */
  directoryTable: 'PARLEY_DIRECTORY_TABLE',
  connectionsTable: 'PARLEY_CONNECTIONS_TABLE',
  sendsTable: 'PARLEY_SENDS_TABLE',
  /** Keyspace of the message log. */
  logKeyspace: 'PARLEY_LOG_KEYSPACE',
  /** `host:port` that answers CQL over TLS. */
  logEndpoint: 'PARLEY_LOG_ENDPOINT',
  /** `host:port` of the cache, over TLS. */
  presenceEndpoint: 'PARLEY_PRESENCE_ENDPOINT',
  /** Name of the cache, which IAM tokens are signed for. */
  presenceCache: 'PARLEY_PRESENCE_CACHE',
  /** The function's own user of the cache. */
  presenceUser: 'PARLEY_PRESENCE_USER',
  /** `host:port,host:port…` of the brokers, which take IAM tokens over TLS. */
  brokers: 'PARLEY_BROKERS',
  /** URL of the queue for records that a consumer gave up on. */
  parkedQueueUrl: 'PARLEY_PARKED_QUEUE_URL',
  /** `https://…/{stage}` under which `/@connections` stands. */
  gatewayEndpoint: 'PARLEY_GATEWAY_ENDPOINT',
  /** Name of the function that posts to sockets. */
  deliverFunction: 'PARLEY_DELIVER_FUNCTION',
  /** Name of the function that closes numbers. */
  repairFunction: 'PARLEY_REPAIR_FUNCTION',
  /** `iss` and `aud` that a token must name. */
  issuer: 'PARLEY_ISSUER',
  audience: 'PARLEY_AUDIENCE',
  /** Origins that browsers may connect from, separated by commas. */
  allowedOrigins: 'PARLEY_ALLOWED_ORIGINS',
  /** Read by the logger. */
  logLevel: 'POWERTOOLS_LOG_LEVEL',
} as const;
