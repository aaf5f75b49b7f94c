/** A failure that the person who typed the command can mend. */
export class Explained extends Error {
  override readonly name = 'Explained';
}
