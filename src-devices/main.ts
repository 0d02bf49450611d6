/**
 * The simulated hardware as a program: `npm run devices`. Says on stdout when it is ready, for people, or with --json as one line of
 * JSON; whatever keeps it from starting is one sentence on stderr and exit code 1. SIGTERM and SIGINT close it cleanly.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { systemChance, systemClock } from './clock.ts';
import { readKeyFile } from './control/key-file.ts';
import type { Machine } from './control/machine.ts';
import type { ControlServer } from './control/server.ts';
import { lockFolder } from './folder-lock.ts';
import { type Options, readOptions, StartError, USAGE } from './options.ts';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const { machine, control, unlock } = await startDevices(options);
  closeOnSignal(machine, control, unlock);
  process.stdout.write(
    options.json ? `${JSON.stringify(readyLine(machine, control))}\n` : readyBlock(machine, control, options),
  );
}

export interface StartedDevices {
  readonly machine: Machine;
  readonly control: ControlServer;
  /** Lets go of the state folder, once both are closed. */
  readonly unlock: () => void;
}

/** All that the program does before it is ready. Throws a StartError that says in one sentence what keeps it. */
export async function startDevices(options: Options): Promise<StartedDevices> {
  const unlock = sentence(() => lockFolder(resolve(options.state)));
  try {
    const machine = await openMachine(options);
    return { machine, control: await openControl(machine, options), unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openMachine(options: Options): Promise<Machine> {
  const keys = options.keyFile === null ? null : sentence(() => readKeyFile(resolve(options.keyFile!)));
  const tls = options.tls && readTls(options.tls);
  // Only now, since most of a start is loading these: what is refused, and --help, need not wait for it.
  const { Machine } = await import('./control/machine.ts');
  try {
    return await Machine.open({
      stateDir: resolve(options.state),
      profile: options.profile,
      clock: systemClock,
      chance: systemChance,
      speed: options.speed,
      dialect: options.dialect,
      ports: options.ports,
      ...(options.security && { security: options.security }),
      ...(keys && { keys }),
      ...(tls && { tls }),
      log: ({ service, command, message }) => process.stderr.write(`${service} ${command ?? ''}: ${message}\n`),
    });
  } catch (error) {
    throw new StartError((error as Error).message.replaceAll('\n', ' '), { cause: error });
  }
}

async function openControl(machine: Machine, options: Options): Promise<ControlServer> {
  const token = Buffer.from(systemChance.bytes(32)).toString('base64url');
  const { startControlServer } = await import('./control/server.ts');
  try {
    return await startControlServer({ machine, clock: systemClock, port: options.controlPort, token });
  } catch (error) {
    await machine.close();
    throw new StartError((error as Error).message, { cause: error });
  }
}

function readTls(files: { readonly cert: string; readonly key: string }) {
  const read = (what: 'cert' | 'key'): string => {
    try {
      return readFileSync(resolve(files[what]), 'utf8');
    } catch (error) {
      throw new StartError(`--tls-${what} ${files[what]} cannot be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  const pair = { cert: read('cert'), key: read('key') };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new StartError(`--tls-cert and --tls-key are no pair in PEM: ${(error as Error).message}`, { cause: error });
  }
  return pair;
}

/** Runs what may refuse with a sentence. */
function sentence<Value>(act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    throw new StartError((error as Error).message, { cause: error });
  }
}

const readyLine = (machine: Machine, control: ControlServer) => ({
  ready: true,
  publisher: machine.url,
  control: control.url,
  services: machine.atm()?.services.map(({ name }) => name) ?? [],
});

function readyBlock(machine: Machine, control: ControlServer, options: Options): string {
  const services = machine.atm()?.services.map(({ name }) => name) ?? [];
  return `
  Simulated devices of one ${options.profile === 'atm' ? 'ATM' : 'self-checkout'} are ready.

    services    ${machine.url}
                ${services.join(', ')}
    hands       ${control.url}
    state       ${resolve(options.state)}

  Open the second address in a browser to insert and take notes, press keys and cause faults.
  Ctrl+C switches the machine off; notes, paper and keys stay for the next start.

`;
}

function closeOnSignal(machine: Machine, control: ControlServer, unlock: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      Promise.all([machine.close(), control.close()]).then(
        () => {
          unlock();
          process.exit(0);
        },
        (error: unknown) => {
          process.stderr.write(`the devices did not close cleanly: ${(error as Error).message}\n`);
          process.exit(1);
        },
      );
    });
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const message = error instanceof StartError ? error.message : `unexpected: ${(error as Error).stack}`;
    process.stderr.write(`kaopass-devices: ${message}\n`);
    process.exitCode = 1;
  });
}
