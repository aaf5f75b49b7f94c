/** Stands for `lambdas/runtime/lambda.ts` in bundles for fault tests, and is in no other: a function that obeys orders to fail. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from '../../../lambdas/ports/unavailable.ts';
import { deployed as really, type PortLoaders } from '../../../lambdas/runtime/lambda.ts';
import type { Services } from '../../../lambdas/runtime/services.ts';
import { intercept, type PortCall } from '../../lambdas/support/intercept.ts';
import { ORDERS_DIR, ORDERS_FILE, type Orders } from './orders.ts';
import { PLANTS } from './plants.ts';

const folder = process.env[ORDERS_DIR] ?? '';
const name = (process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '').split('-').at(-1) ?? '';
let orders: Orders = { id: '' };

export function deployed<E, R>(
  createHandler: (services: Services) => (event: E) => Promise<R>,
  loaders: PortLoaders,
): (event: E) => Promise<R> {
  const handler = really<E, R>((services) => {
    const obedient = obey(services);
    const handle = createHandler(obedient);
    const planted = new Map<string, (event: E) => Promise<R>>();
    return (event) => {
      const { plant } = orders;
      if (plant === undefined) return handle(event);
      let other = planted.get(plant);
      if (!other) planted.set(plant, (other = createHandler(PLANTS[plant](obedient))));
      return other(event);
    };
  }, loaders);
  return async (event) => {
    orders = JSON.parse(readFileSync(join(folder, ORDERS_FILE), 'utf8')) as Orders;
    const answer = await handler(event);
    endAt('reply', 'after');
    return answer;
  };
}

function obey(services: Services): Services {
  const faulty = intercept(services, async ({ port, method, proceed }: PortCall) => {
    const at = `${port}.${method}`;
    endAt(at, 'before');
    const failing = orders.fail?.function === name && orders.fail.at === at && claim('fail', orders.fail.times);
    if (failing && orders.fail?.how === 'lost') throw new Unavailable('the request was lost');
    const answer = proceed();
    // When this runs, the request is on its way.
    if (orders.crash?.when === 'during') setImmediate(() => endAt(at, 'during'));
    const answered = await answer;
    if (failing) throw new Unavailable('the answer was lost');
    endAt(at, 'after');
    return answered;
  });
  return { ...faulty, now: () => services.now() + shiftMs() };
}

function shiftMs(): number {
  const { clockShiftsMs: shifts = [], clocksOf = [name] } = orders;
  if (!clocksOf.includes(name)) return 0;
  return shifts[process.pid % shifts.length] ?? 0;
}

function endAt(at: string, when: 'before' | 'during' | 'after'): void {
  const { crash } = orders;
  if (crash?.function !== name || crash.at !== at || crash.when !== when) return;
  if (claim('crash', crash.times ?? 1)) process.kill(process.pid, crash.signal ?? 'SIGKILL');
}

/** Whether this is one of the first `times` of all processes that ask. */
function claim(what: string, times: number): boolean {
  for (let i = 0; i < times; i++) {
    try {
      closeSync(openSync(join(folder, `${orders.id}-${what}-${i}`), 'wx'));
      return true;
    } catch {
      // Taken.
    }
  }
  return false;
}
