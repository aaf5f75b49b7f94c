/** Faults of the catalogue that are not run by this command, and why. */
export const LEFT_OUT: readonly (readonly [id: string, why: string])[] = [
  [
    'R-05 with three brokers',
    'Three brokers beside Cassandra do not fit on a machine with two cores: one broker is killed instead.',
  ],
  [
    'R-01 with 200 people for 5 minutes',
    'Two cores carry the functions, the engines and the clients: 30 people write for 20 s instead.',
  ],
  [
    'R-12 with clocks of engines',
    'The clocks of functions are off, each process for itself; those of Cassandra and DynamoDB Local are the machine’s.',
  ],
  [
    'R-14: p99 of the others below twice the healthy one',
    'The flood itself takes this machine’s two cores: the median of the others is held against one second instead.',
  ],
  [
    'R-19 with TransactionConflict',
    'Calls are throttled and answers lost; DynamoDB Local has no conflicts of transactions to give, races are tested in test/lambdas.',
  ],
  [
    'R-22 with a thousand sends a second',
    'This machine sends some tens: the tokens of the conversation are taken in Valkey, as by senders on other machines.',
  ],
  [
    'R-24 with whole batches',
    'On engines what is parked, record by record, is replayed; batches that crashed their consumer are replayed in test/redrive.',
  ],
  [
    'R-26 with another version',
    'There is one version: two builds of the same source replace each other, and a record of a version to come lies between.',
  ],
  ['R-27', 'Nothing restores a store yet that would raise the heads above the log.'],
  ['R-28', 'There is no push provider yet.'],
  ['R-29 for 30 minutes', 'A run is to end within minutes: 240 sockets come and go instead.'],
  ['R-30', 'Regions, brokers of MSK and the real API Gateway fail on AWS only.'],
];
