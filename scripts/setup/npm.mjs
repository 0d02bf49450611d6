/** Runs the npm this machine has, with its output kept until it is needed: the user's registry, proxy and cache all apply. */
import { spawn } from 'node:child_process';
import path from 'node:path';

/** Longest npm may take for one command, ms: a slow line and 800 packages fit, a hung registry does not. */
const NPM_TIMEOUT_MS = 20 * 60_000;
const OUTPUT_CHARS_MAX = 200_000;

/** node_modules/.bin comes off PATH: `npm ci` removes the very node it would otherwise run on. @param {NodeJS.ProcessEnv} env */
function environment(env) {
  const key = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const folders = (env[key] ?? '').split(path.delimiter);
  return {
    ...env,
    [key]: folders.filter((folder) => !/node_modules[\\/]\.bin[\\/]?$/.test(folder)).join(path.delimiter),
    // Its install script fetches GPU libraries from outside the npm registry, which terminals never use.
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    // Electron's binary also comes from elsewhere; `npm start` asks for it separately and lives without.
    ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
  };
}

/**
 * @typedef {{ code: number | null, output: string }} NpmResult
 * @typedef {(args: readonly string[], options: { cwd: string }) => Promise<NpmResult>} Npm
 */

/** @type {Npm} */
export function npm(args, { cwd }) {
  // Inside `npm start` these name the running npm and its node; npm's own launcher would look for node on PATH.
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  const direct = script?.endsWith('.js') === true && node !== undefined && !node.startsWith(cwd);
  const command = direct ? node : 'npm';
  const prefix = direct ? [script] : [];
  return new Promise((resolve) => {
    const child = spawn(command, [...prefix, ...args], {
      cwd,
      env: environment(process.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: NPM_TIMEOUT_MS,
      shell: !direct && process.platform === 'win32',
    });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: null, output: String(error) }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** The lines of npm's output that say what went wrong. @param {string} output */
export function npmComplaint(output) {
  const lines = output.split('\n').filter((line) => /^npm (err!|error)/i.test(line));
  const useful = lines.filter((line) => !/complete log|^npm (err!|error)\s*$/i.test(line)).slice(0, 12);
  return (useful.length > 0 ? useful : output.trim().split('\n').slice(-12)).join('\n');
}
