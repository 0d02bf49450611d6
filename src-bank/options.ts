/** The program's command line. */
import { parseArgs } from 'node:util';
import { POLICY_VALID_MS_DEFAULT } from './policy.ts';
import { StartError } from './problem.ts';

export interface Options {
  readonly port: number;
  readonly data: string;
  readonly databaseUrl: string | null;
  readonly adminTokenFile: string | null;
  readonly keyFile: string | null;
  readonly policyFile: string | null;
  readonly policyValidForMs: number;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export const USAGE = `node src-bank/main.ts --port N --data DIR [options]

The reference bank of Kaopass. Listens on 127.0.0.1 and prints one line of JSON when it is ready.

  --port N                 port to listen on; 0 takes any free one
  --data DIR               where the bank keeps its key, its admin token and its embedded database
  --database-url URL       keep the database in this PostgreSQL instead (also KAOPASS_BANK_DATABASE_URL)
  --admin-token-file FILE  read the admin token from FILE (default: DIR/admin-token, made when missing)
  --key-file FILE          the key that secrets are sealed under (default: DIR/bank-key, made when missing)
  --policy FILE            what terminals may decide, as JSON (default: built in)
  --policy-valid-hours N   how long a terminal may go on with a policy it was given (default: 96); then it serves nobody
                           until it has a newer one
  --log-level LEVEL        trace, debug, info, warn, error or silent (default: info); the log goes to stderr
  --help                   print this

The keys of a terminal's dispenser are set while the bank runs, with the admin token; from then on it pays only under a
token of this bank (docs/threat-model.md):
  POST /admin/terminals/TERMINAL-ID/dispenser-keys  {"hostKey": "64 hex digits", "deviceKey": "64 hex digits"}
The working key of an encrypting PIN pad, as the pad names it:
  POST /admin/terminals/TERMINAL-ID/pin-keys  {"name": "PIN", "key": "32, 48 or 64 hex digits"}
The protecting matrix of all templates is changed, with nobody coming back to a camera, and the change followed, by
  POST /admin/protection  {"from": the current generation, "reason": "planned" or "leak"}
  GET /admin/protection
How many people have a template under which embedder, and which terminals have which:
  GET /admin/embedders
A terminal that is stolen, or will not come back, is taken out of service for good, and changes no longer wait for it:
  POST /admin/terminals/TERMINAL-ID/revocation
`;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** "help" when asked for. Throws a StartError that names the flag that does not fit. */
export function readOptions(
  args: readonly string[],
  env: { readonly KAOPASS_BANK_DATABASE_URL?: string | undefined },
): Options | 'help' {
  let values: { readonly help?: boolean; readonly [flag: string]: string | boolean | undefined };
  try {
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        port: { type: 'string' },
        data: { type: 'string' },
        'database-url': { type: 'string' },
        'admin-token-file': { type: 'string' },
        'key-file': { type: 'string' },
        policy: { type: 'string' },
        'policy-valid-hours': { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
        help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('. ')[0]} (--help lists the flags)`, { cause: error });
  }
  if (values.help === true) return 'help';
  const text = (flag: string): string | null => {
    const value = values[flag];
    if (value === '') throw new StartError(`--${flag} must not be empty`);
    return typeof value === 'string' ? value : null;
  };
  const data = text('data');
  if (data === null) throw new StartError('--data is missing: the directory where the bank keeps its data');
  return {
    port: readPort(text('port')),
    data,
    databaseUrl: readUrl(text('database-url') ?? env.KAOPASS_BANK_DATABASE_URL ?? null),
    adminTokenFile: text('admin-token-file'),
    keyFile: text('key-file'),
    policyFile: text('policy'),
    policyValidForMs: readHours(text('policy-valid-hours')),
    logLevel: readLevel(text('log-level')),
  };
}

function readPort(text: string | null): number {
  if (text === null) throw new StartError('--port is missing: the port to listen on, 0 for any');
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new StartError(`--port must be 0 to 65535, not ${text}`);
  return port;
}

function readHours(text: string | null): number {
  if (text === null) return POLICY_VALID_MS_DEFAULT;
  const hours = Number(text);
  if (!/^\d{1,4}$/.test(text) || hours < 1) throw new StartError(`--policy-valid-hours must be 1 to 9999, not ${text}`);
  return hours * 60 * 60 * 1000;
}

function readUrl(url: string | null): string | null {
  // The URL may carry a password: the message does not repeat it.
  if (url !== null && !/^postgres(ql)?:\/\//.test(url)) {
    throw new StartError('--database-url must start with postgres:// or postgresql://');
  }
  return url;
}

function readLevel(text: string | null): Options['logLevel'] {
  const level = LOG_LEVELS.find((known) => known === text);
  if (!level) throw new StartError(`--log-level must be one of ${LOG_LEVELS.join(', ')}, not ${text}`);
  return level;
}
