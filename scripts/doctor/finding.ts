import { explain } from './aws-errors.ts';

/** What one check has seen. */
export interface Finding {
  /** What was looked at: `stack parley-small-data`, `topic signals`. */
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do first; only where it is not as it should be. */
  readonly advice?: string;
}

/** `advice` counts only where it is not good. */
export function judge(name: string, ok: boolean, found: string, advice: string): Finding {
  return ok ? { name, ok, found } : { name, ok, found, advice };
}

export interface Question {
  readonly name: string;
  /** The actions that whoever asks must be allowed. */
  readonly rights: string;
  /** What to do when AWS says that there is no such thing. */
  readonly ifMissing: string;
}

/** What `ask` finds; where it fails, one finding that says so. Never rejects, so that one failure hides no other. */
export async function asking(question: Question, ask: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await ask();
  } catch (error) {
    return [{ name: question.name, ok: false, ...explain(error, question) }];
  }
}
