/** Where the page finds its server. */
export interface Config {
  /** The WebSocket API, without query. */
  readonly socketUrl: string;
  /** Answers `POST {userId, name, workspaceId?}` with `{token}`. */
  readonly tokenUrl: string;
  readonly workspaceId?: string;
}

/** What the local server offers to a page that it serves itself. */
export function localConfig(page: Pick<Location, 'protocol' | 'host'>): Config {
  const socketScheme = page.protocol === 'https:' ? 'wss:' : 'ws:';
  return { socketUrl: `${socketScheme}//${page.host}/local`, tokenUrl: `${page.protocol}//${page.host}/dev/token` };
}

/** Reads `config.json` beside the page. A deployment puts its own there; what it leaves out is as on the local server. */
export async function loadConfig(): Promise<Config> {
  const local = localConfig(location);
  const answer = await fetch('config.json', { cache: 'no-cache' }).catch(() => undefined);
  if (answer?.ok !== true || !(answer.headers.get('content-type') ?? '').includes('json')) return local;
  return { ...local, ...((await answer.json()) as Partial<Config>) };
}
