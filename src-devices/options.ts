/** The program's command line. */
import { parseArgs } from 'node:util';
import { switches } from './control/dialect-switches.ts';
import type { DialectChange } from './dialect.ts';
import { STANDARD_PORTS } from './publisher.ts';

export const PROFILES = ['atm', 'checkout'] as const;
export const SECURITY_MODES = ['off', 'ifConfigured', 'enforced'] as const;

export interface Options {
  readonly state: string;
  readonly profile: (typeof PROFILES)[number];
  /** Tried in this order. */
  readonly ports: readonly number[];
  readonly controlPort: number;
  readonly keyFile: string | null;
  /** PEM files; null: no TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly security: (typeof SECURITY_MODES)[number] | null;
  readonly dialect: DialectChange;
  readonly speed: number;
  readonly json: boolean;
}

/** Why the program does not start, in one sentence for whoever started it. */
export class StartError extends Error {}

export const USAGE = `npm run devices -- [options]

The hardware of one terminal, simulated: XFS4IoT services over WebSocket, and a page to be its hands.
Everything listens on 127.0.0.1 only.

  --state DIR          what the machine remembers without power: notes, paper, keys (default: data/devices)
  --profile NAME       atm (default): all devices; checkout: PIN pad, printer, scanner, lights, no cash
  --port N             port of the service publisher; may be given several times, the first free one is taken;
                       0 takes any free one (default: ${STANDARD_PORTS[0]} to ${STANDARD_PORTS.at(-1)}, as the standard has it)
  --control-port N     port of the control page (default: 0, any free one)
  --keys FILE          keys to load, as JSON: hostKey, deviceKey (64 hex digits each, or null) for dispense tokens,
                       pinKeys: [{name, algorithm: "A" for AES or "T" for TDES, value: hex}] for PIN blocks.
                       They are kept in the state folder; later starts need no file
  --tls-cert FILE      certificate for wss instead of ws, PEM; together with
  --tls-key FILE       its private key, PEM
  --security MODE      whether dispensing needs a token of the bank: enforced, ifConfigured (when keys are loaded), off
                       (default: ifConfigured)
  --dialect NAME       flipped (every switch at its other value) or SWITCH=VALUE; may be given several times.
                       Switches: ${switches()
                         .map(({ name }) => name)
                         .join(', ')
                         .replace(/(.{70,90}), /g, '$1,\n                       ')}
  --speed N            how many times faster than real mechanisms (default: 1)
  --json               say that it is ready in one line of JSON
  --help               print this
`;

/** "help" when asked for. Throws a StartError that names the flag that does not fit. */
export function readOptions(args: readonly string[]): Options | 'help' {
  let values: {
    readonly [flag: string]: string | boolean | readonly (string | boolean)[] | undefined;
  };
  try {
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        state: { type: 'string', default: 'data/devices' },
        profile: { type: 'string', default: 'atm' },
        port: { type: 'string', multiple: true },
        'control-port': { type: 'string', default: '0' },
        keys: { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        security: { type: 'string' },
        dialect: { type: 'string', multiple: true },
        speed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('. ')[0]} (--help lists the flags)`, { cause: error });
  }
  if (values['help'] === true) return 'help';
  const text = (flag: string): string | null => {
    const value = values[flag];
    if (value === '') throw new StartError(`--${flag} must not be empty`);
    return typeof value === 'string' ? value : null;
  };
  const list = (flag: string) => (values[flag] as readonly string[] | undefined) ?? [];
  const ports = list('port').map((port) => readPort('port', port));
  const security = text('security');
  return {
    state: text('state')!,
    profile: oneOf('profile', text('profile')!, PROFILES),
    ports: ports.length > 0 ? ports : STANDARD_PORTS,
    controlPort: readPort('control-port', text('control-port')!),
    keyFile: text('keys'),
    tls: readTls(text('tls-cert'), text('tls-key')),
    security: security === null ? null : oneOf('security', security, SECURITY_MODES),
    dialect: Object.assign({}, ...list('dialect').map(readDialect)) as DialectChange,
    speed: readSpeed(text('speed')!),
    json: values['json'] === true,
  };
}

function readPort(flag: string, text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new StartError(`--${flag} must be 0 to 65535, not ${text}`);
  return port;
}

function readTls(cert: string | null, key: string | null): Options['tls'] {
  if (cert === null && key === null) return null;
  if (cert === null) throw new StartError('--tls-cert is missing: --tls-key needs it');
  if (key === null) throw new StartError('--tls-key is missing: --tls-cert needs it');
  return { cert, key };
}

function readSpeed(text: string): number {
  const speed = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || !(speed > 0))
    throw new StartError(`--speed must be a number above 0, not ${text}`);
  return speed;
}

function oneOf<Name extends string>(flag: string, text: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === text);
  if (!name) throw new StartError(`--${flag} must be one of ${names.join(', ')}, not ${text}`);
  return name;
}

function readDialect(text: string): DialectChange {
  if (text === 'flipped') return Object.fromEntries(switches().map(({ name, values }) => [name, values.at(-1)]));
  const [name, value] = text.split('=', 2);
  const known = switches().find((each) => each.name === name);
  if (!known) throw new StartError(`--dialect has no switch ${name} (--help lists them)`);
  const found = known.values.find((each) => String(each) === value);
  if (found === undefined)
    throw new StartError(`--dialect ${name} must be one of ${known.values.join(', ')}, not ${value ?? 'empty'}`);
  return { [known.name]: found };
}
