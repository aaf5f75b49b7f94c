/** Faults of the catalogue that are not run by this command, and why. */
export const LEFT_OUT: readonly (readonly [id: string, why: string])[] = [
  [
    'R-05 with three brokers',
    'Three brokers beside Cassandra do not fit on a machine with two cores: one broker is killed instead.',
  ],
  ['R-27', 'Nothing restores a store yet that would raise the heads above the log.'],
  ['R-28', 'There is no push provider yet.'],
  ['R-30', 'Regions, brokers of MSK and the real API Gateway fail on AWS only.'],
];
