/** Where clients connect, and as whom. */
export interface Place {
  /** `http://127.0.0.1:{port}`, which gives tokens. */
  readonly url: string;
  readonly socketUrl: string;
  readonly workspaceId: string;
}

export async function tokenFor(url: string, userId: string, workspaceId: string): Promise<string> {
  const answer = await fetch(`${url}/dev/token`, { method: 'POST', body: JSON.stringify({ userId, workspaceId }) });
  const { token } = (await answer.json()) as { token: string };
  return token;
}
