/** Where a machine's XFS4IoT services are, as its client wants to know it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type DevicesConfig, isThisMachine } from '../config/devices.ts';
import { TerminalError } from '../errors.ts';

type Xfs4IotConfig = Extract<DevicesConfig, { kind: 'xfs4iot' }>;

interface Xfs4IotAddress {
  readonly host: string;
  /** Absent: all ports of the standard. */
  readonly ports?: readonly { readonly port: number; readonly secure: boolean }[];
  readonly tls?: { readonly ca: string };
}

/** The standard's (XFS4IoT 2024-3, service publisher): 443 and 5846 to 5856. */
const SECURE_PORTS = [443, ...Array.from({ length: 11 }, (_, index) => 5846 + index)];

/** Nothing unencrypted leaves this machine. Throws CONFIG_INVALID for an authority that cannot be read, naming the file. */
export function xfs4IotAddress(
  { host, ports, ca }: Pick<Xfs4IotConfig, 'host' | 'ports' | 'ca'>,
  dataDir: string,
): Xfs4IotAddress {
  const away = isThisMachine(host) ? {} : { ports: SECURE_PORTS.map((port) => ({ port, secure: true })) };
  return {
    host,
    ...(ports ? { ports } : away),
    ...(ca === null ? {} : { tls: { ca: readAuthority(resolve(dataDir, ca)) } }),
  };
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new TerminalError('CONFIG_INVALID', `devices.ca: ${path} cannot be read (${why})`, { cause });
  }
}
