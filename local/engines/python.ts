import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchOnce, folderOf, type FetchOptions, type Parcel } from './fetch.ts';

export const MINISTACK_TITLE = 'MiniStack 1.5.33';

/** MiniStack and all that it needs, from PyPI. */
const REQUIREMENTS = `ministack==1.5.33
botocore==1.43.106
defusedxml==0.7.1
graphql-core==3.2.12
h11==0.16.0
h2==4.4.1
hpack==4.2.0
hypercorn==0.18.0
hyperframe==6.1.0
jmespath==1.1.0
jsonata-python==0.7.1
priority==2.0.0
python-dateutil==2.9.0.post0
pyyaml==6.0.3
six==1.17.0
urllib3==2.8.0
wsproto==1.3.2
`;

/** The interpreter of MiniStack's own environment, once that is made. */
export function ministackPython(env?: NodeJS.ProcessEnv): string | undefined {
  const python = pythonIn(environmentFolder(env));
  return existsSync(python) ? python : undefined;
}

/**
 * Makes a Python environment with MiniStack in it unless it is there. Safe to call from several processes at once: one makes it, the others
 * wait.
 * @returns the folder of the environment
 * @throws {EngineProblem} what failed, and where the whole output is
 */
export async function fetchMinistack({
  python,
  ...options
}: FetchOptions & { readonly python: string | undefined }): Promise<string> {
  const folder = environmentFolder();
  // What is left of one whose Python is gone.
  if (ministackPython() === undefined) rmSync(folder, { recursive: true, force: true });
  await fetchOnce(folder, parcelOf(python), options);
  return folder;
}

/** Works from wherever the environment lies; its other programs name the folder in which they were made. */
export function pythonIn(environment: string): string {
  return join(environment, 'bin', 'python');
}

function parcelOf(python = 'python3'): Parcel {
  return {
    name: 'ministack',
    title: MINISTACK_TITLE,
    megabytes: 20,
    fetcher: 'pip',
    contents: REQUIREMENTS,
    commands: (work, target) => {
      const requirements = join(work, 'requirements.txt');
      writeFileSync(requirements, REQUIREMENTS);
      const install = ['--no-input', '--disable-pip-version-check', '--no-deps', '-r', requirements];
      return [
        { file: python, args: ['-m', 'venv', target], cwd: work },
        { file: pythonIn(target), args: ['-m', 'pip', 'install', ...install], cwd: work },
      ];
    },
    progress: (said) => `${said.match(/^Collecting /gm)?.length ?? 0} packages`,
  };
}

function environmentFolder(env?: NodeJS.ProcessEnv): string {
  return folderOf(parcelOf(), 'python', env);
}
