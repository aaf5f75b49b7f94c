const TICK_MS = 1_000;
/** Where the line cannot be rewritten, a sign of life is a new line, so it comes less often. */
const PLAIN_TICK_MS = 10_000;

/** Says what is going on and for how long: one line that counts on a terminal, plain lines elsewhere. */
export class Progress {
  /** @param {{ write(text: string): unknown, isTTY?: boolean }} out */
  constructor(out) {
    this.out = out;
  }

  /**
   * Runs `work` under a heading, and ends its line with the time it took.
   *
   * @template T
   * @param {string} title such as `Building the web client`
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async during(title, work) {
    const startedAtMs = Date.now();
    const seconds = () => (Date.now() - startedAtMs) / 1_000;
    const overwrite = this.out.isTTY === true;
    const tick = () =>
      this.out.write(overwrite ? `\r${title} … ${seconds().toFixed(0)} s` : `${title} … ${seconds().toFixed(0)} s\n`);
    this.out.write(overwrite ? `${title} …` : `${title} …\n`);
    const timer = setInterval(tick, overwrite ? TICK_MS : PLAIN_TICK_MS);
    let outcome = 'failed after';
    try {
      const result = await work();
      outcome = 'done in';
      return result;
    } finally {
      clearInterval(timer);
      this.out.write(`${overwrite ? '\r' : ''}${title}: ${outcome} ${seconds().toFixed(1)} s\n`);
    }
  }

  /** @param {string} text */
  line(text) {
    this.out.write(`${text}\n`);
  }
}
