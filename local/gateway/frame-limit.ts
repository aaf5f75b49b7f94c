import type { WebSocket } from 'ws';

/** The part of ws's private receiver that the limit hooks into; a test names the version of ws that it was checked with. */
export interface FrameReceiver {
  _payloadLength: number;
  _opcode: number;
  haveLength: (callback: (error?: Error) => void) => void;
  createError: (type: ErrorConstructor, message: string, prefix: boolean, status: number, code: string) => Error;
}

/** Opcodes from here on are control frames, which have a limit of their own. */
const FIRST_CONTROL_OPCODE = 0x08;

/**
 * ws limits whole messages only. The returned function makes a socket close with 1009 as soon as the length of a frame
 * above `frameMaxBytes` is known, before its payload is read. All sockets share one hook.
 */
export function frameLimiter(frameMaxBytes: number): (socket: WebSocket) => void {
  function haveLength(this: FrameReceiver, callback: (error?: Error) => void): void {
    if (this._payloadLength > frameMaxBytes && this._opcode < FIRST_CONTROL_OPCODE) {
      callback(
        this.createError(RangeError, 'Max frame size exceeded', false, 1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'),
      );
      return;
    }
    const prototype = Object.getPrototypeOf(this) as FrameReceiver;
    prototype.haveLength.call(this, callback);
  }
  return (socket) => {
    const { _receiver: receiver } = socket as unknown as { _receiver: FrameReceiver };
    receiver.haveLength = haveLength;
  };
}
