/**
 * The bank as a program: `node src-bank/main.ts --port N --data DIR`. Prints one line of JSON on stdout when it is ready;
 * whatever keeps it from starting is one sentence on stderr and exit code 1. SIGTERM and SIGINT close it cleanly.
 */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Bank } from './bank.ts';
import { type Chance, systemChance, systemClock } from './clock.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { DEFAULT_POLICY, loadPolicy } from './policy.ts';
import { StartError } from './problem.ts';
import { keyFile, writeSecretFile } from './vault.ts';

const HOST = '127.0.0.1';
/** A shorter token could be guessed through the admin API. */
const ADMIN_TOKEN_LENGTH_MIN = 16;

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const { bank, url } = await startBank(options);
  closeOnSignal(bank);
  process.stdout.write(`${JSON.stringify({ ready: true, url, database: bank.database })}\n`);
}

export interface StartedBank {
  readonly bank: Bank;
  /** Where it listens. */
  readonly url: string;
}

/** All that the program does before it is ready. Throws a StartError that says in one sentence what keeps it. */
export async function startBank(options: Options): Promise<StartedBank> {
  const data = openDataDirectory(options.data);
  const policy = options.policyFile === null ? DEFAULT_POLICY : loadPolicy(options.policyFile);
  const adminToken = readAdminToken(options, data, systemChance);
  // Only now, since most of a start is loading these: what is refused, and --help, need not wait for it.
  const [{ createBank }, { createLogger }] = await Promise.all([import('./bank.ts'), import('./logger.ts')]);
  const bank = await createBank({
    database:
      options.databaseUrl === null
        ? { kind: 'pglite', directory: data }
        : { kind: 'postgresql', url: options.databaseUrl },
    masterKey: keyFile(options.keyFile ?? join(data, 'bank-key')),
    clock: systemClock,
    chance: systemChance,
    adminToken,
    policy,
    policyValidForMs: options.policyValidForMs,
    logger: createLogger(options.logLevel),
  });
  const port = await listen(bank, options.port);
  return { bank, url: `http://${HOST}:${port}` };
}

function openDataDirectory(path: string): string {
  const directory = resolve(path);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(`the data directory ${directory} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return directory;
}

function readAdminToken(options: Options, data: string, chance: Chance): string {
  const path = options.adminTokenFile ?? join(data, 'admin-token');
  let token: string;
  try {
    token = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || options.adminTokenFile !== null) {
      throw new StartError(`the admin token ${path} cannot be read: ${(error as Error).message}`, { cause: error });
    }
    token = Buffer.from(chance.bytes(32)).toString('base64url');
    writeSecretFile(path, token);
  }
  if (token.length < ADMIN_TOKEN_LENGTH_MIN) {
    throw new StartError(`the admin token in ${path} must have at least ${ADMIN_TOKEN_LENGTH_MIN} characters`);
  }
  return token;
}

async function listen(bank: Bank, port: number): Promise<number> {
  try {
    await bank.app.listen({ host: HOST, port });
  } catch (error) {
    await bank.close();
    const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const reason = inUse ? 'is in use by another program' : `cannot be opened: ${(error as Error).message}`;
    throw new StartError(`port ${port} on ${HOST} ${reason}`, { cause: error });
  }
  return (bank.app.server.address() as AddressInfo).port;
}

function closeOnSignal(bank: Bank): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      bank.close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`the bank did not close cleanly: ${(error as Error).message}\n`);
          process.exit(1);
        },
      );
    });
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const message = error instanceof StartError ? error.message : `unexpected: ${(error as Error).stack}`;
    process.stderr.write(`kaopass-bank: ${message}\n`);
    process.exit(1);
  });
}
