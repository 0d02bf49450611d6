/** What a technician does before a terminal runs the first time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DemoBank } from './bank.ts';
import type { DemoDevices } from './devices.ts';
import { runProgram } from './processes.ts';

export interface Provisioning {
  readonly bank: DemoBank;
  readonly activationCode: string;
  readonly machine: DemoDevices;
  readonly dataDir: string;
  readonly name: string;
  readonly profile: 'atm' | 'checkout';
  /** Settings of kaopass.json beside those that follow from the above. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Activates with the bank's code, writes the configuration, and tells the bank the machine's keys. The machine must run.
 *  terminalId is null when the activation failed: the output says why. */
export async function provisionTerminal(order: Provisioning): Promise<{
  readonly code: number | null;
  readonly output: string;
  readonly terminalId: string | null;
}> {
  const { bank, activationCode, machine, dataDir, name, profile, settings } = order;
  mkdirSync(dataDir, { recursive: true });
  const activated = await runProgram('src-main/provisioning/cli.ts', [
    ...['activate', '--data', dataDir, '--bank', bank.url, '--code', activationCode],
    ...['--name', name, '--profile', profile],
  ]);
  const devices = { kind: 'xfs4iot', host: '127.0.0.1', ports: [{ port: machine.port, secure: false }] };
  const config = { name, profile, bankUrl: bank.url, devices, ...settings };
  writeFileSync(join(dataDir, 'kaopass.json'), `${JSON.stringify(config, null, 2)}\n`);
  if (activated.code !== 0) return { ...activated, terminalId: null };
  const terminalId = await bank.terminalId(profile);
  await bank.setDeviceKeys(terminalId, machine.keys, profile);
  return { ...activated, terminalId };
}
