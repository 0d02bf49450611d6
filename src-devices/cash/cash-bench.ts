/** For the cash tests: a machine whose mechanisms take no time, over a folder that can outlive it, and words for what is done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Atm, type AtmOptions, openAtm } from '../atm.ts';
import { counted, problems } from '../notes/cash-state.ts';
import { total } from '../notes/tally.ts';
import { writeToken } from '../security/token.ts';
import { type Message, TestClient } from '../test-client.ts';

/** The keys of the published vectors (XFS4IoT digest, 8.4). */
export const HOST_KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
export const DEVICE_KEY = '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f';

export interface CashBench {
  readonly atm: Atm<null>;
  readonly client: TestClient;
  readonly hands: NonNullable<Atm<null>['hands']>;
  /** Another client of the first service, or of the one named. */
  connect(service?: string): Promise<TestClient>;
  /** The plug out and in again: the same folder, a new machine and client. */
  restart(): Promise<CashBench>;
  close(): Promise<void>;
}

export type CashBenchOptions = Partial<Omit<AtmOptions<null>, 'peripherals'>>;

export async function openCashBench(options: CashBenchOptions = {}): Promise<CashBench> {
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), 'kaopass-cash-'));
  const atm = await openAtm<null>({
    speed: Number.POSITIVE_INFINITY,
    ports: [0],
    profile: 'atm',
    ...options,
    stateDir,
  });
  const clients: TestClient[] = [];
  const connect = async (service = atm.services[0]!.name) => {
    const client = await TestClient.connect(atm.serviceUrl(service));
    clients.push(client);
    return client;
  };
  return {
    atm,
    client: await connect(),
    hands: atm.hands!,
    connect,
    restart: async () => {
      await atm.powerCut();
      return await openCashBench({ ...options, stateDir });
    },
    close: async () => {
      for (const each of clients) each.socket.terminate();
      await atm.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

export const codeOf = ({ header, payload }: Message): string =>
  header.completionCode === 'commandErrorCode' ? payload.errorCode : (header.completionCode ?? 'success');

/** Payload of a Dispense: an amount of yen the device chooses notes for. */
export const yen = (amount: number, token?: string) => ({
  denomination: { denomination: { service: { currencies: { JPY: amount }, mix: 'mix1' } } },
  ...(token && { token }),
});

export const hostToken = (nonce: string, granted: string) =>
  writeToken(nonce, [['DISPENSE1', granted]], Buffer.from(HOST_KEY, 'hex'));

/** Puts notes in as soon as the running CashIn opens the slot, and answers that CashIn's completion. */
export async function cashIn(
  { client, hands }: CashBench,
  ...insert: Parameters<CashBench['hands']['insertNotes']>
): Promise<Message> {
  const id = client.send('CashAcceptor.CashIn');
  await hands.insertWhenOpen(...insert);
  return await client.completion(id);
}

/** Notes a unit counts, and really holds. */
export function unit({ atm }: CashBench, id: string): { counted: number; held: number } {
  const state = atm.cash!.machine.unit(id);
  return { counted: total(counted(state)), held: total(state.notes) };
}

/** Every note is somewhere, and the counts add up. */
export function expectSound({ atm }: CashBench): void {
  const found = problems(atm.cash!.machine.state);
  if (found.length > 0) throw new Error(found.join('\n'));
}
