import { setTimeout as wait } from 'node:timers/promises';
import type { SdkDevice } from './sdk-device.ts';

/** People who write side by side, until they are stopped. */
export class Traffic {
  private isStopped = false;
  private sent = 0;
  private readonly running: Promise<unknown>;

  /** Each device writes that often into each of the conversations in turn. */
  constructor(devices: readonly SdkDevice[], conversationIds: readonly string[], everyMs: number) {
    const write = async (device: SdkDevice, offset: number): Promise<void> => {
      for (let i = offset; !this.isStopped; i++) {
        const conversationId = conversationIds[i % conversationIds.length] ?? '';
        await device.send(conversationId, `${device.process} ${++this.sent}`);
        await wait(everyMs);
      }
    };
    this.running = Promise.all(devices.map((device, i) => write(device, i)));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.running;
  }
}
