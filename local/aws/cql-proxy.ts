import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Access } from './access.ts';
import {
  answerFrame,
  CQL_VERSION,
  cqlFrames,
  ERROR,
  errorFrame,
  HEADER_BYTES,
  OP,
  shortText,
  statementOf,
  streamOf,
} from './cql-frame.ts';
import { asksOf } from './cql-statement.ts';
import type { FunctionKey, Keyring } from './keyring.ts';
import type { Session } from './tls-proxy.ts';

export interface CqlProxyOptions {
  readonly access: Access;
  readonly keyring: Keyring;
  readonly region: string;
  /** `arn:aws:cassandra:{region}:{account}:` */
  readonly arnPrefix: string;
  /** How the Cassandra behind calls its data centre; Keyspaces calls it by the region. */
  readonly dataCenter: string;
  readonly log: (line: string) => void;
}

/**
 * Keyspaces in front of Cassandra, for one connection: the log-in by a signature over a nonce, and the role's rights on every statement. Prepared
 * statements are checked when they are prepared.
 */
export class CqlSession implements Session {
  private readonly incoming = cqlFrames();
  private readonly outgoing = cqlFrames();
  private readonly nonce = randomBytes(16).toString('hex');
  private caller: FunctionKey | undefined;
  private startup: Buffer | undefined;
  /** The stream of the answer that ended the log-in, while the server has not answered the start. */
  private loggingIn: number | undefined;
  private keyspace = '';
  /** Streams whose answer names the data centre. */
  private readonly aboutNodes = new Set<number>();

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly options: CqlProxyOptions,
  ) {}

  fromClient(chunk: Buffer): void {
    for (const frame of this.incoming.push(chunk)) this.take(frame);
  }

  fromServer(chunk: Buffer): void {
    for (const frame of this.outgoing.push(chunk)) {
      const stream = streamOf(frame);
      if (this.loggingIn !== undefined && frame[4] === OP.ready) {
        this.answer(this.loggingIn, OP.authSuccess, Buffer.from('ffffffff', 'hex'));
        this.loggingIn = undefined;
      } else {
        this.client.write(this.aboutNodes.delete(stream) ? this.renameDataCenter(frame) : frame);
      }
    }
  }

  private take(frame: Buffer): void {
    const version = frame[0] ?? 0;
    const stream = streamOf(frame);
    const opcode = frame[4];
    if (version !== CQL_VERSION) {
      this.refuse(
        stream,
        ERROR.protocol,
        `Invalid or unsupported protocol version (${version}); supported versions are (${CQL_VERSION}/v${CQL_VERSION})`,
      );
    } else if (opcode === OP.options) this.server.write(frame);
    else if (!this.caller) this.logIn(stream, opcode, frame);
    else if (this.mayRun(this.caller, stream, opcode, frame)) this.server.write(frame);
  }

  private logIn(stream: number, opcode: number | undefined, frame: Buffer): void {
    if (opcode === OP.startup) {
      this.startup = frame;
      this.answer(stream, OP.authenticate, shortText('org.apache.cassandra.auth.PasswordAuthenticator'));
      return;
    }
    if (opcode !== OP.authResponse || !this.startup) {
      this.refuse(stream, ERROR.badCredentials, 'log in first');
      return;
    }
    const response = frame.subarray(HEADER_BYTES + 4).toString();
    if (response.startsWith('SigV4\0')) {
      this.answer(stream, OP.challenge, bytes(`nonce=${this.nonce}`));
      return;
    }
    const key = this.keyOf(response);
    if (!key) {
      this.options.log('REFUSED a connection to the message log: its signature is not good');
      this.refuse(stream, ERROR.badCredentials, 'Authentication failure: the signature is not good');
      return;
    }
    this.caller = key;
    this.loggingIn = stream;
    this.server.write(this.startup);
  }

  /** Whose signature over the nonce it is. */
  private keyOf(response: string): FunctionKey | undefined {
    const parts = Object.fromEntries(
      response.split(',').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
    );
    const { signature = '', access_key: accessKeyId = '', amzdate = '', session_token: token } = parts;
    const key = this.options.keyring.find(accessKeyId);
    if (key?.sessionToken !== token || !key) return undefined;
    const expected = Buffer.from(signNonce(this.nonce, amzdate, this.options.region, key));
    const given = Buffer.from(signature);
    return expected.length === given.length && timingSafeEqual(expected, given) ? key : undefined;
  }

  private mayRun({ functionName }: FunctionKey, stream: number, opcode: number | undefined, frame: Buffer): boolean {
    if (opcode === OP.batch) {
      this.refuse(stream, ERROR.unauthorized, 'batches are not served on this machine');
      return false;
    }
    if (opcode === OP.execute) this.options.access.onCall(functionName, 'cassandra:Execute');
    if (opcode !== OP.query && opcode !== OP.prepare) return true;
    const text = statementOf(frame);
    const use = /^\s*USE\s+"?(\w+)"?\s*;?\s*$/i.exec(text);
    if (use) {
      this.keyspace = use[1] ?? '';
      return true;
    }
    const asks = asksOf(text, this.keyspace);
    const refused = asks.find(
      ({ action, path }) =>
        !this.options.access.allows(functionName, { action, resource: `${this.options.arnPrefix}${path}` }),
    );
    if (refused) {
      const message = `User ${functionName} has no ${refused.action} permission on ${refused.path} or any of its parents`;
      this.refuse(stream, ERROR.unauthorized, message);
      return false;
    }
    if (asks.some(({ path }) => path.startsWith('/keyspace/system/'))) this.aboutNodes.add(stream);
    return true;
  }

  /** Clients ask for the nodes of the data centre that they stand in. */
  private renameDataCenter(frame: Buffer): Buffer {
    const { dataCenter, region } = this.options;
    const at = frame.indexOf(bytes(dataCenter));
    if (at < 0) return frame;
    const renamed = Buffer.concat([frame.subarray(0, at), bytes(region), frame.subarray(at + 4 + dataCenter.length)]);
    renamed.writeUInt32BE(renamed.length - HEADER_BYTES, 5);
    return renamed;
  }

  private refuse(stream: number, code: number, message: string): void {
    this.client.write(errorFrame(stream, code, message));
  }

  private answer(stream: number, opcode: number, body: Buffer): void {
    this.client.write(answerFrame(stream, opcode, body));
  }
}

/** The signature over a nonce, as the documentation of Keyspaces' driver plug-ins has it: a presigned PUT whose body is the nonce. */
export function signNonce(
  nonce: string,
  date: string,
  region: string,
  key: Pick<FunctionKey, 'accessKeyId' | 'secretAccessKey'>,
): string {
  const day = date.slice(0, 10).replaceAll('-', '');
  const scope = `${day}/${region}/cassandra/aws4_request`;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${key.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${encodeURIComponent(date)}`,
    'X-Amz-Expires=900',
  ].join('&');
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hmac = (secret: string | Buffer, text: string): Buffer => createHmac('sha256', secret).update(text).digest();
  const request = ['PUT', '/authenticate', query, 'host:cassandra', '', 'host', sha256(nonce)].join('\n');
  const secret = [day, region, 'cassandra', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${key.secretAccessKey}`);
  return hmac(secret, ['AWS4-HMAC-SHA256', date, scope, sha256(request)].join('\n')).toString('hex');
}

function bytes(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}
