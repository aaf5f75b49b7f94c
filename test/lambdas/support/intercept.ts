import { Unavailable } from '../../../lambdas/ports/unavailable.ts';
import type { Services } from '../../../lambdas/runtime/services.ts';

export const PORT_NAMES = ['log', 'directory', 'presence', 'stream', 'gateway', 'direct', 'repairs'] as const;
export type PortName = (typeof PORT_NAMES)[number];

export interface PortCall {
  readonly port: PortName;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Carries it out. */
  readonly proceed: () => Promise<unknown>;
}

/** The same services, where every call of a port goes through `around`. */
export function intercept(services: Services, around: (call: PortCall) => Promise<unknown>): Services {
  const wrapped = PORT_NAMES.map((port) => {
    const proxy = new Proxy(services[port], {
      get(target, method: string) {
        const original: unknown = Reflect.get(target, method);
        if (typeof original !== 'function') return original;
        return (...args: unknown[]) =>
          around({ port, method, args, proceed: () => Reflect.apply(original, target, args) as Promise<unknown> });
      },
    });
    return [port, proxy];
  });
  return { ...services, ...(Object.fromEntries(wrapped) as Partial<Services>) };
}

type Methods<P extends PortName> = Partial<Record<keyof Services[P], (call: PortCall) => Promise<unknown>>>;

/** The same services, where the named methods of one port are replaced; `call.proceed()` is the real one. */
export function replace<P extends PortName>(services: Services, port: P, methods: Methods<P>): Services {
  return intercept(services, (call) => {
    const other = (methods as Partial<Record<string, (call: PortCall) => Promise<unknown>>>)[call.method];
    return call.port === port && other ? other(call) : call.proceed();
  });
}

/** Every call that the services got, in order. */
export function spy(services: Services): { services: Services; calls: PortCall[] } {
  const calls: PortCall[] = [];
  const spied = intercept(services, (call) => {
    calls.push(call);
    return call.proceed();
  });
  return { services: spied, calls };
}

/** The end of a process: nothing that it does from then on has any effect. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

export type Moment = 'before' | 'after';

/** Services of a process that dies just before, or just after, its n-th port call (from 1) takes effect. */
export function crashAt(services: Services, n: number, moment: Moment): { services: Services; crashed(): boolean } {
  let calls = 0;
  let dead = false;
  const die = (): never => {
    dead = true;
    throw new Crash('the process is gone');
  };
  const wrapped = intercept(services, async ({ proceed }) => {
    if (dead) return die();
    const isLast = ++calls === n;
    if (isLast && moment === 'before') die();
    const answer = await proceed();
    if (isLast) die();
    return answer;
  });
  return { services: wrapped, crashed: () => dead };
}

/** Services whose n-th port call (from 1) gets no answer, and is carried out only when the request that was under way is let through. */
export function lateAt(services: Services, n: number, underWay: (proceed: () => Promise<unknown>) => void): Services {
  let calls = 0;
  return intercept(services, ({ proceed }) => {
    if (++calls !== n) return proceed();
    underWay(proceed);
    return Promise.reject(new Unavailable('no answer in time'));
  });
}

/** Services of a process that stands still before its n-th port call (from 1), until it is thawed. */
export function freezeAt(
  services: Services,
  n: number,
): { services: Services; frozen: Promise<void>; thaw: () => void } {
  let calls = 0;
  let thaw: () => void = () => undefined;
  let isFrozen: () => void = () => undefined;
  const thawed = new Promise<void>((resolve) => (thaw = resolve));
  const frozen = new Promise<void>((resolve) => (isFrozen = resolve));
  const wrapped = intercept(services, async ({ proceed }) => {
    if (++calls === n) {
      isFrozen();
      await thawed;
    }
    return proceed();
  });
  return { services: wrapped, frozen, thaw: () => thaw() };
}

/** Services whose n-th port call (from 1) fails: the request was lost on its way (`before`), or only its answer (`after`). */
export function loseAt(services: Services, n: number, moment: Moment): { services: Services; lost(): boolean } {
  let calls = 0;
  const wrapped = intercept(services, async ({ proceed }) => {
    const isLost = ++calls === n;
    if (isLost && moment === 'before') throw new Unavailable('the request was lost');
    const answer = await proceed();
    if (isLost) throw new Unavailable('the answer was lost');
    return answer;
  });
  return { services: wrapped, lost: () => calls >= n };
}
