import type { Services } from './services.ts';

/** Makes each port that a function may use. Called once, when the function starts. */
export type PortLoaders = {
  readonly [P in Exclude<keyof Services, 'now'>]?: () => Services[P] | Promise<Services[P]>;
};

const PORT_NAMES = [
  'log',
  'directory',
  'presence',
  'stream',
  'gateway',
  'direct',
  'repairs',
  'identity',
  'settings',
] as const;

/** Lambda sets it, before it loads the code. */
const IN_LAMBDA = 'AWS_LAMBDA_FUNCTION_NAME';

/**
 * The handler of a deployed function, on the ports that its file names: those, and no others, are in its bundle, and its role must allow
 * them. A port that is not named fails when it is touched. In Lambda the ports are made while the environment starts, when it has a
 * whole CPU; elsewhere with the first event, so that importing a function does nothing.
 */
export function deployed<E, R>(
  createHandler: (services: Services) => (event: E) => Promise<R>,
  loaders: PortLoaders,
): (event: E) => Promise<R> {
  let handler: Promise<(event: E) => Promise<R>> | undefined;
  const start = async () => createHandler(await loadServices(loaders));
  if (process.env[IN_LAMBDA] !== undefined) {
    handler = start();
    // Told by every event.
    handler.catch(() => undefined);
  }
  return async (event) => (await (handler ??= start()))(event);
}

async function loadServices(loaders: PortLoaders): Promise<Services> {
  const ports = PORT_NAMES.map(async (name) => [name, (await loaders[name]?.()) ?? missing(name)] as const);
  return { ...Object.fromEntries(await Promise.all(ports)), now: Date.now } as Services;
}

/** May be handed around, but not used. */
function missing(name: string): object {
  const fail = (): never => {
    throw new Error(
      `This function has no port "${name}": its file in lambdas/ does not name it, nor may its role use it.`,
    );
  };
  return new Proxy({}, { get: fail });
}
