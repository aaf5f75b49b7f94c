import { auth } from 'cassandra-driver';
import type { Signing } from './credentials.ts';
import { encodeQuery, sha256, Signer } from './signer.ts';

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
  const signer = new Signer({ service: 'cassandra', region, credentials });
  const date = at.toISOString();
  const query = encodeQuery({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${signer.scopeOf(date)}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': '900',
  });
  const request = ['PUT', '/authenticate', query, 'host:cassandra\n', 'host', sha256(nonce)].join('\n');
  const signature = signer.signatureOf(request, date, secretAccessKey);
  const session = sessionToken === undefined ? '' : `,session_token=${sessionToken}`;
  return `signature=${signature},access_key=${accessKeyId},amzdate=${date}${session}`;
}
