import type { Socket } from 'node:net';
import type { CacheDefinition } from '../assembly/stores.ts';
import type { Access } from './access.ts';
import type { PresignedCheck } from './presigned.ts';
import { FrameReader, type Session } from './tls-proxy.ts';

export interface CacheProxyOptions {
  readonly cache: CacheDefinition;
  readonly access: Access;
  readonly tokens: PresignedCheck;
  /** The password of a user at the server behind. */
  readonly passwordOf: (userName: string) => string | undefined;
  readonly log: (line: string) => void;
}

const COMMAND_MAX_BYTES = 64 * 1024 * 1024;
const AUTH = /^\*\d+\r\n\$4\r\nauth\r\n/i;
const AUTH_HEAD_BYTES = 24;
const NO_AUTH = '-NOAUTH Authentication required.\r\n';
const WRONG_PASS = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';

/** Serverless Valkey in front of a server, for one connection: passwords are tokens signed for the role; what a user may do its ACL says. */
export class CacheSession implements Session {
  private readonly commands = new FrameReader(lengthOfCommand, COMMAND_MAX_BYTES);
  private isLoggedIn = false;
  /** Commands that wait for the verdict on a token before them. */
  private readonly waiting: Buffer[] = [];
  private isChecking = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly options: CacheProxyOptions,
  ) {}

  fromClient(chunk: Buffer): void {
    this.waiting.push(...this.commands.push(chunk));
    this.proceed();
  }

  fromServer(chunk: Buffer): void {
    this.client.write(chunk);
  }

  private proceed(): void {
    while (!this.isChecking) {
      const command = this.waiting.shift();
      if (!command) return;
      if (AUTH.test(command.subarray(0, AUTH_HEAD_BYTES).toString('latin1'))) {
        this.isChecking = true;
        void this.logIn(argumentsOf(command).slice(1)).finally(() => {
          this.isChecking = false;
          this.proceed();
        });
      } else if (this.isLoggedIn) this.server.write(command);
      else this.client.write(NO_AUTH);
    }
  }

  private async logIn([user = '', token = '']: string[]): Promise<void> {
    const refusal = await this.refusalOf(user, token);
    const password = this.options.passwordOf(user);
    if (refusal === undefined && password !== undefined) {
      this.isLoggedIn = true;
      this.server.write(`*3\r\n${['AUTH', user, password].map(bulk).join('')}`);
      return;
    }
    this.options.log(`REFUSED a connection to the cache as ${user || 'nobody'}: ${refusal ?? 'there is no such user'}`);
    // Answers that are under way could not be told from this one.
    if (this.isLoggedIn) this.client.destroy();
    else this.client.write(WRONG_PASS);
  }

  private async refusalOf(user: string, token: string): Promise<string | undefined> {
    const { cache, access, tokens } = this.options;
    const url = `https://${token}`;
    if (!URL.canParse(url)) return 'the password is no token';
    const verified = await tokens.verify(new URL(url), 'elasticache');
    if ('refusal' in verified) return verified.refusal;
    const { key, query } = verified;
    if (new URL(url).hostname !== cache.name || query['Action'] !== 'connect') return 'the token is for something else';
    if (query['User'] !== user) return 'the token is for another user';
    const definition = cache.users.find(({ name }) => name === user);
    if (!definition) return 'there is no such user';
    const needed = [cache.arn, definition.arn].map((resource) => ({ action: 'elasticache:Connect', resource }));
    return needed.every((ask) => access.allows(key.functionName, ask)) ? undefined : 'its role does not allow it';
  }
}

/** Commands are arrays of bulk texts; their length shows when the last head is there. */
function lengthOfCommand(bytes: Buffer): number | undefined {
  if (bytes.length === 0) return undefined;
  let at = lineEnd(bytes, 0);
  if (at === undefined) return undefined;
  if (bytes[0] !== 0x2a) throw new Error('commands must be arrays');
  const count = Number(bytes.subarray(1, at - 2).toString('latin1'));
  for (let i = 0; i < count; i++) {
    const end = lineEnd(bytes, at);
    if (end === undefined) return undefined;
    at = end + Number(bytes.subarray(at + 1, end - 2).toString('latin1')) + 2;
  }
  return at;
}

function lineEnd(bytes: Buffer, from: number): number | undefined {
  const at = bytes.indexOf('\r\n', from, 'latin1');
  return at < 0 ? undefined : at + 2;
}

function argumentsOf(command: Buffer): string[] {
  const found: string[] = [];
  let at = lineEnd(command, 0) ?? command.length;
  while (at < command.length) {
    const start = lineEnd(command, at) ?? command.length;
    const length = Number(command.subarray(at + 1, start - 2).toString('latin1'));
    found.push(command.subarray(start, start + length).toString());
    at = start + length + 2;
  }
  return found;
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
