/** A store did not answer in time, or not at all: whether a write took effect is unknown. Thrown by every port. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
