import type { Presence } from '../../../lambdas/ports/presence/port.ts';
import type { LocalAppOptions } from '../../../local/embedded/app.ts';

/** Options by which every function counts rates with this `take`, and does all else as ever. */
export function withTake(take: Presence['take']): LocalAppOptions {
  return {
    override: (services) => ({
      ...services,
      presence: new Proxy(services.presence, {
        get: (target, name) => {
          if (name === 'take') return take;
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
    }),
  };
}
