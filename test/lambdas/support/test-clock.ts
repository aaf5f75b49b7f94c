/** A clock in the test's hands. */
export class TestClock {
  constructor(private ms = 1_700_000_000_000) {}

  readonly now = (): number => this.ms;

  /** Negative: the clock jumps back. */
  advance(ms: number): void {
    this.ms += ms;
  }
}
