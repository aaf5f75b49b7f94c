import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What nobody may find where it does not belong: a mark in each thing that people say, are called, or prove themselves with. */
export class Canaries {
  private readonly run = randomUUID().replaceAll('-', '').slice(0, 12);
  readonly body = `canary-body-${this.run}`;
  readonly edited = `canary-edit-${this.run}`;
  readonly name = `Canary Name ${this.run}`;
  readonly title = `Canary Title ${this.run}`;
  /** Tokens are made by an issuer; the whole text of each, and its signature, must stay secret. */
  private readonly tokens: string[] = [];

  addToken(token: string): string {
    this.tokens.push(token);
    return token;
  }

  /** Those places, of some, in which a canary stands, in any of the spellings that logs, URLs and records use. */
  foundIn(places: readonly string[]): string[] {
    const said = [this.body, this.edited, this.name, this.title];
    const signatures = this.tokens.map((token) => token.split('.')[2] ?? token);
    const needles = [...said, ...signatures].flatMap((text) => [
      text,
      encodeURIComponent(text),
      Buffer.from(text).toString('hex'),
      // Base64 of something that begins elsewhere holds the text in one of three shifts.
      ...[0, 1, 2].map((shift) => inBase64(text, shift)),
    ]);
    needles.push(JWT_BEGINNING);
    return places
      .filter((place) => needles.some((needle) => place.includes(needle)))
      .map((place) => place.slice(0, 500));
  }
}

/** Of any token, whoever got it. */
const JWT_BEGINNING = Buffer.from('{"alg":"RS256"').toString('base64').slice(0, 18);

function inBase64(text: string, shift: number): string {
  const whole = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString('base64');
  // The first and the last group hold bits of what stands beside it.
  return whole.slice(shift === 0 ? 0 : 4, -4);
}

/** Every URL and header-less start of an HTTP request that this process makes or gets, until `stop`. */
export function watchUrls(): { readonly urls: readonly string[]; readonly stop: () => void } {
  const urls: string[] = [];
  const asked = (message: unknown): void => {
    const { request } = message as { request: { path?: string; url?: string } };
    urls.push(request.path ?? request.url ?? '');
  };
  const channels = ['http.client.request.start', 'http.server.request.start', 'undici:request:create'];
  for (const channel of channels) subscribe(channel, asked);
  return { urls, stop: () => channels.forEach((channel) => unsubscribe(channel, asked)) };
}
