/** Stands in for packages that serve features which Parley does not use: Avro schemas of the Kafka client, zipped settings of the Cassandra driver. */
export default {};
