/** The assembly holds something that cannot be run here. One line: where, what, and what to do. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';
  constructor(
    /** `{stack}/{logicalId}` and the path within, or a file. */
    readonly where: string,
    what: string,
  ) {
    super(`${where}: ${what}`);
  }
}
