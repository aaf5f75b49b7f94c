/** What AWS gives a role for a while. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Asked again for every signature, so that credentials may change while a function lives. */
export type CredentialSource = () => Promise<Credentials>;

/** Who signs, and where. */
export interface Signing {
  readonly region: string;
  readonly credentials: CredentialSource;
}

/** The credentials of the function's role, which Lambda hands over in the environment. */
export function credentialsOf(env: NodeJS.ProcessEnv): CredentialSource {
  return () => {
    const {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    } = env;
    if (!accessKeyId || !secretAccessKey)
      return Promise.reject(new Error('There are no AWS credentials in the environment.'));
    return Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) });
  };
}
