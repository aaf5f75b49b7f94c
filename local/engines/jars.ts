import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchOnce, folderOf, type FetchOptions, type Parcel } from './fetch.ts';

/** The engines that run on the JVM, by their Maven coordinates. */
export const JVM_ENGINES = {
  cassandra: { title: 'Cassandra 5.0.6', megabytes: 66, artifacts: ['org.apache.cassandra:cassandra-all:5.0.6'] },
  kafka: {
    title: 'Kafka 4.3.1',
    megabytes: 44,
    artifacts: ['org.apache.kafka:kafka_2.13:4.3.1', 'org.slf4j:slf4j-simple:1.7.36'],
  },
  dynamodb: {
    title: 'DynamoDB Local 3.3.1',
    megabytes: 50,
    artifacts: ['software.amazon.dynamodb:DynamoDBLocal:3.3.1'],
  },
} as const;
export type JvmEngine = keyof typeof JVM_ENGINES;

export function isFetched(engine: JvmEngine, env: NodeJS.ProcessEnv = process.env): boolean {
  return existsSync(jarsFolder(engine, env));
}

/**
 * Fetches the jars of an engine with Maven unless they are there. Safe to call from several processes at once: one fetches, the others wait.
 * @returns the folder of the jars
 * @throws {EngineProblem} what failed, and where the whole of Maven's output is
 */
export async function fetchJars(
  engine: JvmEngine,
  { maven, ...options }: FetchOptions & { readonly maven: string | undefined },
): Promise<string> {
  const folder = jarsFolder(engine);
  await fetchOnce(folder, parcelOf(engine, maven), options);
  return folder;
}

function parcelOf(engine: JvmEngine, maven = 'mvn'): Parcel {
  const { title, megabytes } = JVM_ENGINES[engine];
  const pom = pomOf(engine);
  return {
    name: engine,
    title,
    megabytes,
    fetcher: 'Maven',
    contents: pom,
    commands: (work, target) => {
      writeFileSync(join(work, 'pom.xml'), pom);
      const args = ['-B', 'dependency:copy-dependencies', `-DoutputDirectory=${target}`, '-DincludeScope=runtime'];
      return [{ file: maven, args, cwd: work }];
    },
    // What Maven has in its own cache it only copies.
    progress: (said) => {
      const jars = [...said.matchAll(/(?:Downloaded from|Copying) .*?([^/\s]+\.jar) /g)].map(([, jar]) => jar);
      return `${new Set(jars).size} jars`;
    },
  };
}

function jarsFolder(engine: JvmEngine, env?: NodeJS.ProcessEnv): string {
  return folderOf(parcelOf(engine), 'jars', env);
}

function pomOf(engine: JvmEngine): string {
  const dependencies = JVM_ENGINES[engine].artifacts.map((artifact) => {
    const [groupId, artifactId, version] = artifact.split(':');
    return `    <dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>parley</groupId>
  <artifactId>engine-${engine}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}
