/** An engine that cannot run here: each line of the message says what is wrong and what to do. */
export class EngineProblem extends Error {
  override readonly name = 'EngineProblem';
}

export const GIVEN_UP = 'The start of the engines was given up.';
