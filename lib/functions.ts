/** The functions that exist, and what each needs to run. What each may do is written where the deployment binds it to a store. */
export interface FunctionSettings {
  readonly description: string;
  /** Only what must reach the cache, the brokers or the log stands in the VPC: `@connections` cannot be reached from there. */
  readonly network: 'vpc' | 'none';
  /** CPU comes with it: 1,769 MiB are one vCPU. */
  readonly memoryMiB: number;
  /** Below the 29 s of an integration, so that a frame is answered by the function's own error and not by the gateway's. */
  readonly timeoutSeconds: number;
}

export const FUNCTIONS = {
  authorizer: {
    description: 'Verifies the token of a handshake.',
    network: 'none',
    memoryMiB: 512,
    timeoutSeconds: 10,
  },
  connect: {
    description: 'Registers a new connection.',
    network: 'none',
    memoryMiB: 512,
    timeoutSeconds: 10,
  },
  disconnect: {
    description: 'Removes the connection that ended.',
    network: 'none',
    memoryMiB: 256,
    timeoutSeconds: 10,
  },
  send: {
    description: 'Stores a message, numbers it, hands it on.',
    network: 'vpc',
    memoryMiB: 1_024,
    timeoutSeconds: 20,
  },
  heartbeat: {
    description: 'Presence and typing; answers frames that no route takes.',
    network: 'vpc',
    memoryMiB: 512,
    timeoutSeconds: 10,
  },
  receipt: {
    description: 'How far members have got and read.',
    network: 'vpc',
    memoryMiB: 512,
    timeoutSeconds: 10,
  },
  sync: {
    description: 'Resume and history. Reads only.',
    network: 'vpc',
    memoryMiB: 1_024,
    timeoutSeconds: 20,
  },
  conversation: {
    description: 'Makes and lists conversations; changes who is in them.',
    network: 'vpc',
    memoryMiB: 512,
    timeoutSeconds: 20,
  },
  deliver: {
    description: 'Posts to sockets; the only function that may.',
    network: 'none',
    memoryMiB: 1_769,
    timeoutSeconds: 60,
  },
  repair: {
    description: 'Publishes what was stored and never published; closes numbers that nobody used.',
    network: 'vpc',
    memoryMiB: 512,
    timeoutSeconds: 60,
  },
  brokers: {
    description: 'Tells a deployment where the brokers are. Runs while deploying only.',
    network: 'none',
    memoryMiB: 256,
    timeoutSeconds: 60,
  },
} as const satisfies Record<string, FunctionSettings>;

export type FunctionName = keyof typeof FUNCTIONS;
export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];
