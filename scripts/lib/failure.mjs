/** A failure whose message tells a person what happened and what to do: printed without a stack. */
export class Failure extends Error {}
