import type { Socket } from 'node:net';

/** What happens to the bytes of one direction. Nothing named: they pass at once. */
export interface Rule {
  /** Each byte passes this long after it came. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
  /** Kept until another rule lets them pass: lost packets are sent again when the network is back. */
  readonly hold?: boolean;
  /** Both sides are reset when so many more bytes have passed on a connection. */
  readonly cutAfterBytes?: number;
}

/** Held beyond this, the source is not read any more, as with a full window. */
const HELD_MAX_BYTES = 1_048_576;
const SLICES_PER_SECOND = 20;

/** One direction of one connection. */
export class Pipe {
  private rule: Rule = {};
  private leftBytes = Infinity;
  private readonly queue: { readonly chunk: Buffer; readonly atMs: number }[] = [];
  private heldBytes = 0;
  private timer: NodeJS.Timeout | undefined;
  /** A throttled direction sends nothing before. */
  private freeAtMs = 0;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    /** Told of everything that comes while it is held. */
    onHeld: () => void = () => undefined,
  ) {
    from.on('data', (chunk: Buffer) => {
      this.queue.push({ chunk, atMs: Date.now() });
      if (this.rule.hold) onHeld();
      this.heldBytes += chunk.length;
      if (this.heldBytes > HELD_MAX_BYTES) from.pause();
      this.pump();
    });
    to.on('drain', () => this.pump());
    from.on('end', () => {
      if (this.queue.length === 0 && !this.rule.hold) to.end();
    });
  }

  apply(rule: Rule): void {
    this.rule = rule;
    this.leftBytes = rule.cutAfterBytes ?? Infinity;
    this.freeAtMs = 0;
    this.pump();
  }

  /** Passes on whatever it still has, unless that is held. */
  flush(): void {
    clearTimeout(this.timer);
    if (this.rule.hold) return;
    for (const { chunk } of this.queue.splice(0)) if (!this.to.destroyed) this.to.write(chunk);
  }

  private pump(): void {
    clearTimeout(this.timer);
    for (let next = this.queue[0]; next !== undefined && !this.to.destroyed; next = this.queue[0]) {
      if (this.rule.hold || this.to.writableNeedDrain) return;
      const waitMs = Math.max(next.atMs + (this.rule.delayMs ?? 0), this.freeAtMs) - Date.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      this.pass(next.chunk, next.atMs);
    }
    if (this.heldBytes <= HELD_MAX_BYTES) this.from.resume();
  }

  private pass(chunk: Buffer, atMs: number): void {
    this.queue.shift();
    const { bytesPerSecond = Infinity } = this.rule;
    const slice = Math.max(1, Math.floor(Math.min(chunk.length, bytesPerSecond / SLICES_PER_SECOND, this.leftBytes)));
    const now = chunk.subarray(0, slice);
    if (now.length < chunk.length) this.queue.unshift({ chunk: chunk.subarray(slice), atMs });
    this.heldBytes -= now.length;
    if (bytesPerSecond !== Infinity) this.freeAtMs = Date.now() + (now.length / bytesPerSecond) * 1_000;
    this.to.write(now);
    this.leftBytes -= now.length;
    if (this.leftBytes > 0) return;
    this.to.destroySoon();
    reset(this.from);
  }
}

/** Resets a connection. One that has said its last word is destroyed: Node would refuse, keep its handle, and never end. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
