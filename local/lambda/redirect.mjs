import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * @typedef {object} Redirects
 * @property {Record<string, number>} ports the port of 127.0.0.1 that stands for a `host:port`
 * @property {Record<string, string>} addresses the address that a host name resolves to; only ever used as a key of `ports`
 */

/**
 * Leads every connection of this process to what stands for its target on this machine, by host name or address, and refuses all others: code
 * that was built for AWS runs unchanged, and none of it reaches the world by mistake. TLS still checks the name that was asked for.
 * @param {Redirects} redirects
 */
export function redirectConnections({ ports, addresses }) {
  const connect = net.Socket.prototype.connect;
  /** @this {net.Socket} @param {any[]} args */
  net.Socket.prototype.connect = /** @type {any} */ (
    function (/** @type {any[]} */ ...args) {
      // As Node itself calls it: an array of options and listener, which carries a mark of its own.
      const normalized = Array.isArray(args[0]) ? args[0] : undefined;
      const options = normalized ? normalized[0] : optionsOf(args);
      // A path is a socket file; agents set it to null.
      if (!options.path) {
        const target = targetOf(ports, options);
        if (target instanceof Error) {
          process.nextTick(() => this.destroy(target));
          return this;
        }
        const led = { ...options, host: '127.0.0.1', port: target, lookup: undefined, localAddress: undefined };
        if (normalized) normalized[0] = led;
        else
          args =
            typeof args[0] === 'object'
              ? [led, ...args.slice(1)]
              : [led, ...args.filter((arg) => typeof arg === 'function')];
      }
      return Reflect.apply(connect, this, args);
    }
  );
  redirectLookups(addresses);
  // For those who import single functions.
  syncBuiltinESMExports();
}

/** @param {any[]} args */
function optionsOf([first, second]) {
  if (typeof first === 'object' && first !== null) return first;
  return { port: first, host: typeof second === 'string' ? second : 'localhost' };
}

/**
 * @param {Redirects['ports']} ports
 * @param {{ host?: string, port?: number | string }} options
 * @returns {number | Error}
 */
function targetOf(ports, { host = 'localhost', port = 0 }) {
  const target = ports[`${host}:${port}`];
  if (target !== undefined) return target;
  process.stderr.write(`REFUSED a connection to ${host}:${port}: nothing stands for it on this machine.\n`);
  return Object.assign(new Error(`connect ECONNREFUSED ${host}:${port}`), { code: 'ECONNREFUSED', syscall: 'connect' });
}

/** @param {Redirects['addresses']} addresses */
function redirectLookups(addresses) {
  /** @param {string} host */
  const addressOf = (host) => (net.isIP(host) ? host : host === 'localhost' ? '127.0.0.1' : addresses[host]);
  /** @param {string} host @param {string} syscall @param {string} code */
  const failure = (host, syscall, code) =>
    Object.assign(new Error(`${syscall} ${code} ${host}`), { code, syscall, hostname: host });
  /** @param {string} host @param {any} options */
  const lookup = (host, options) => {
    const address = addressOf(host);
    if (address === undefined) throw failure(host, 'getaddrinfo', 'ENOTFOUND');
    return options?.all ? [{ address, family: 4 }] : { address, family: 4 };
  };
  /** @param {string} host */
  const resolve4 = (host) => {
    const address = addressOf(host);
    if (address === undefined) throw failure(host, 'queryA', 'ENOTFOUND');
    return [address];
  };
  /** @param {string} host */
  const resolve6 = (host) => {
    throw failure(host, 'queryAaaa', 'ENODATA');
  };
  /** @param {(...args: any[]) => any} work @param {boolean} [spread] */
  const withCallback =
    (work, spread) =>
    (/** @type {any[]} */ ...args) => {
      const callback = args.pop();
      try {
        const result = work(...args);
        process.nextTick(() =>
          spread && !Array.isArray(result) ? callback(null, result.address, result.family) : callback(null, result),
        );
      } catch (error) {
        process.nextTick(() => callback(error));
      }
    };
  Object.assign(dns, {
    lookup: withCallback(lookup, true),
    resolve4: withCallback(resolve4),
    resolve6: withCallback(resolve6),
  });
  Object.assign(dns.promises, {
    lookup: async (/** @type {string} */ host, /** @type {any} */ options) => lookup(host, options),
    resolve4: async (/** @type {string} */ host) => resolve4(host),
    resolve6: async (/** @type {string} */ host) => resolve6(host),
  });
}
