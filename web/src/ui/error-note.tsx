import { AlertIcon } from './icons.tsx';

/** What went wrong and what to do about it, in words, read out at once. */
export function ErrorNote({ id, error }: { readonly id?: string; readonly error: Failure }) {
  return (
    <p class="error-note" id={id} role="alert">
      <AlertIcon />
      <span>
        {error.message} {error.remediation}
      </span>
    </p>
  );
}

export interface Failure {
  readonly message: string;
  readonly remediation: string;
}

/** Any rejection as words. Errors of Parley carry theirs. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Error && 'remediation' in error && typeof error.remediation === 'string')
    return { message: error.message, remediation: error.remediation };
  return { message: 'That did not work.', remediation: 'Check your connection, then try again.' };
}
