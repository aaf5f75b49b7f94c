import { createHash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { auth } from 'cassandra-driver';
import { Sha256 } from '../sha256.ts';
import type { Signing } from './credentials.ts';

/** The driver takes instances of its own class only, which its types hold for an interface. */
const { AuthProvider } = auth as unknown as { readonly AuthProvider: new () => auth.AuthProvider };

type Respond = (error: Error | null, token?: Buffer) => void;

/** Logs in to Amazon Keyspaces with the credentials of a role: it answers the server's nonce with a signature over it. */
export function cassandraAuth(signing: Signing, now: () => Date = () => new Date()): auth.AuthProvider {
  return Object.assign(new AuthProvider(), {
    newAuthenticator: () => ({
      initialResponse: (respond: Respond) => respond(null, Buffer.from('SigV4\0\0')),
      evaluateChallenge: (challenge: Buffer, respond: Respond) => {
        signNonce(nonceOf(challenge), signing, now()).then(
          (answer) => respond(null, Buffer.from(answer)),
          (error: unknown) => respond(error as Error),
        );
      },
      onAuthenticationSuccess: () => undefined,
    }),
  });
}

function nonceOf(challenge: Buffer): string {
  const nonce = /(?:^|,)nonce=([^,]*)/.exec(challenge.toString())?.[1];
  if (nonce === undefined) throw new Error('Keyspaces sent no nonce.');
  return nonce;
}

/** A presigned PUT of `/authenticate` whose body is the nonce; unlike in all other requests, its date is written with milliseconds. */
async function signNonce(nonce: string, { region, credentials }: Signing, at: Date): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
  const date = at.toISOString();
  const scope = `${date.slice(0, 10).replaceAll('-', '')}/${region}/cassandra/aws4_request`;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${encodeURIComponent(date)}`,
    'X-Amz-Expires=900',
  ].join('&');
  const request = ['PUT', '/authenticate', query, 'host:cassandra', '', 'host', sha256(nonce)].join('\n');
  const signer = new SignatureV4({
    service: 'cassandra',
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
  });
  const signature = await signer.sign(['AWS4-HMAC-SHA256', date, scope, sha256(request)].join('\n'), {
    signingDate: at,
  });
  const session = sessionToken === undefined ? '' : `,session_token=${sessionToken}`;
  return `signature=${signature},access_key=${accessKeyId},amzdate=${date}${session}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
