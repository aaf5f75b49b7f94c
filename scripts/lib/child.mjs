import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { basename } from 'node:path';

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Ending */

/** @type {NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program on this terminal until it ends. Signals go on to it, so that nothing is left behind when this process is told to stop.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<Ending>}
 */
export function runChild(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' });
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      // Ctrl-C in a terminal reaches the whole process group by itself; a second one would read as "at once".
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const done = () => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      done();
      resolve({ code, signal });
    });
  });
}

/**
 * The exit code for a shell: a child that died by a signal gives 128 plus its number.
 *
 * @param {Ending} ending
 */
export function exitCodeOf({ code, signal }) {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/**
 * Runs npm quietly.
 *
 * @param {string[]} args
 * @param {string} cwd
 */
export function runNpm(args, cwd) {
  const { command, prefix, shell } = npmCommand(process.platform, process.env['npm_execpath'], process.execPath);
  return runQuiet(command, [...prefix, ...args], cwd, shell);
}

/**
 * Runs a program until it ends and keeps what it prints.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @param {boolean} [shell]
 * @returns {Promise<{ code: number, output: string }>} everything that it printed
 */
export function runQuiet(command, args, cwd, shell = false) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => (output += text));
    }
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: exitCodeOf({ code, signal }), output }));
  });
}

/**
 * How to call npm: the very npm that started this script where there is one, else the one on the path.
 * On Windows that is a batch file, which Node runs through a shell only.
 *
 * @param {string} platform
 * @param {string | undefined} execPath what npm calls itself (`npm_execpath`)
 * @param {string} node
 */
export function npmCommand(platform, execPath, node) {
  if (execPath && /^npm-cli\.c?js$/.test(basename(execPath.replaceAll('\\', '/')))) {
    return { command: node, prefix: [execPath], shell: false };
  }
  return { command: 'npm', prefix: [], shell: platform === 'win32' };
}
