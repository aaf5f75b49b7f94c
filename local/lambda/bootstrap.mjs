/** What runs in the process of an execution environment: loads the function's code and answers one event at a time. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { redirectConnections } from './redirect.mjs';

const RESPONSE_MAX_BYTES = 6 * 1024 * 1024;
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;

/**
 * @typedef {object} Init
 * @property {'init'} type
 * @property {Record<string, string>} environment all variables that the code sees
 * @property {string} taskRoot the folder of the code
 * @property {string} handler
 * @property {number} runtimeMajor the major version of Node.js that the template asks for
 * @property {import('./redirect.mjs').Redirects} redirects
 */
/**
 * @typedef {object} Invoke
 * @property {'invoke'} type
 * @property {string} requestId
 * @property {string} event JSON
 * @property {number} deadlineMs since the Unix epoch
 * @property {string} functionArn
 * @property {string} traceId
 */
/** @typedef {{ requestId: string, answer: (payload: string, failed: boolean) => void }} Current */

const channel = process.channel;
const send = process.send?.bind(process);
// The code must not take itself for the child that it is.
delete process.send;

/** @type {(event: unknown, context: object) => unknown} */
let handler = () => undefined;
/** @type {Current | undefined} */
let current;

process.on('disconnect', () => process.exit(0));
process.on('message', (/** @type {Init | Invoke} */ message) => {
  if (message.type === 'init') void initialize(message);
  else void invoke(message);
});
process.on('uncaughtException', (error) => crash(error, EXIT_UNCAUGHT_EXCEPTION));
process.on('unhandledRejection', (reason) => {
  const { message, stack } = reason instanceof Error ? reason : new Error(String(reason));
  const error = Object.assign(new Error(message), { name: 'Runtime.UnhandledPromiseRejection' });
  if (stack !== undefined) error.stack = stack;
  crash(error, EXIT_UNHANDLED_REJECTION);
});
// Nothing is under way any more, and the handler has not answered.
process.on('beforeExit', () =>
  current?.answer(errorPayload('Runtime.NodeJsExit', 'The handler can never settle.'), true),
);

/** @param {Init} message */
async function initialize({ environment, taskRoot, handler: name, runtimeMajor, redirects }) {
  try {
    for (const variable of Object.keys(process.env)) delete process.env[variable];
    Object.assign(process.env, environment);
    process.chdir(taskRoot);
    redirectConnections(redirects);
    handler = await loadHandler(taskRoot, name, runtimeMajor);
    send?.({ type: 'initialized' });
  } catch (error) {
    send?.({ type: 'initialized', error: payloadOf(error) });
  }
}

/** @param {Invoke} message */
async function invoke({ requestId, event, deadlineMs, functionArn, traceId }) {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  const answered = new Promise((resolve) => {
    current = {
      requestId,
      answer: (payload, failed) => {
        if (current?.requestId !== requestId) return;
        current = undefined;
        channel?.ref();
        const { user, system } = process.cpuUsage(before);
        const cost = { handlerMs: performance.now() - startedAtMs, cpuMs: (user + system) / 1_000 };
        send?.(
          { type: 'answer', requestId, payload, failed, rssBytes: process.memoryUsage.rss(), ...cost },
          undefined,
          {},
          resolve,
        );
      },
    };
  });
  const { answer } = /** @type {Current} */ (/** @type {unknown} */ (current));
  process.env['_X_AMZN_TRACE_ID'] = traceId;
  // From here on the process lives by what the handler has under way.
  channel?.unref();
  try {
    const payload = JSON.stringify(
      (await handler(JSON.parse(event), contextOf(requestId, deadlineMs, functionArn))) ?? null,
    );
    const bytes = Buffer.byteLength(payload);
    if (bytes <= RESPONSE_MAX_BYTES) answer(payload, false);
    else
      answer(
        errorPayload(
          'Function.ResponseSizeTooLarge',
          `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${RESPONSE_MAX_BYTES} bytes).`,
        ),
        true,
      );
  } catch (error) {
    // As Lambda's own runtime logs it.
    process.stderr.write(`ERROR\tInvoke Error\t${payloadOf(error)}\n`);
    answer(payloadOf(error), true);
  }
  await answered;
}

/** @param {string} awsRequestId @param {number} deadlineMs @param {string} invokedFunctionArn */
function contextOf(awsRequestId, deadlineMs, invokedFunctionArn) {
  const { env } = process;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn,
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    awsRequestId,
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

/** @param {string} taskRoot @param {string} name `{file}.{export}` @param {number} runtimeMajor */
async function loadHandler(taskRoot, name, runtimeMajor) {
  const [file = '', ...path] = splitHandler(name);
  const found = fileOf(join(taskRoot, file));
  if (found === undefined) throw named('Runtime.ImportModuleError', `Cannot find module '${file}'`);
  /** @type {any} */
  let code;
  try {
    code = await import(pathToFileURL(found).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', String(error), error);
    throw error instanceof Error && 'code' in error && /MODULE_NOT_FOUND/.test(String(error.code))
      ? named('Runtime.ImportModuleError', String(error), error)
      : error;
  }
  // The exports of CommonJS stand in `default`.
  const exported =
    path.reduce((from, part) => from?.[part], code) ?? path.reduce((from, part) => from?.[part], code.default);
  if (typeof exported !== 'function') throw named('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (exported.length > 2) {
    const why =
      runtimeMajor >= 24 ? 'Node.js 24 has no callback handlers any more.' : 'Callback handlers are not run here.';
    throw named('Runtime.CallbackHandlerDeprecated', `${name}: ${why} Return a promise.`);
  }
  return exported;
}

/** @param {string} name */
function splitHandler(name) {
  const slash = name.lastIndexOf('/') + 1;
  const [file = '', ...path] = name.slice(slash).split('.');
  if (name.includes('..') || path.length === 0) throw named('Runtime.MalformedHandlerName', `Bad handler ${name}`);
  return [name.slice(0, slash) + file, ...path];
}

/** Files without an extension and `.js` by the nearest package.json, as Node decides; then `.mjs`, `.cjs`. @param {string} path */
function fileOf(path) {
  return [path, `${path}.js`, `${path}.mjs`, `${path}.cjs`].find((file) => existsSync(file));
}

/** @param {unknown} error @param {number} exitCode */
function crash(error, exitCode) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  const exit = () => process.exit(exitCode);
  if (!current) return exit();
  const { requestId } = current;
  current = undefined;
  send?.(
    {
      type: 'answer',
      requestId,
      payload: payloadOf(error),
      failed: true,
      crashed: true,
      rssBytes: process.memoryUsage.rss(),
    },
    undefined,
    {},
    exit,
  );
}

/** @param {string} name @param {string} message @param {unknown} [cause] */
function named(name, message, cause) {
  return Object.assign(new Error(message, { cause }), { name });
}

/** @param {unknown} error */
function payloadOf(error) {
  if (!(error instanceof Error)) return errorPayload('string', String(error), []);
  return errorPayload(error.name, error.message, error.stack?.split('\n') ?? []);
}

/** @param {string} errorType @param {string} errorMessage @param {string[]} [trace] */
function errorPayload(errorType, errorMessage, trace = []) {
  return JSON.stringify({ errorType, errorMessage, trace });
}
