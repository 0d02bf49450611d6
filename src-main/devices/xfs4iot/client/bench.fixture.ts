/** A client on a machine in memory, with everything it told kept for the test to look at. */
import { connect } from './client.ts';
import type { ClientClock } from './clock.ts';
import type { DeadLetter } from './dead-letter.ts';
import { capabilities, MemoryMachine, type MemoryService } from './memory-machine.fixture.ts';
import type { ClientOptions, LateCompletion, LogEntry, Xfs4IotClient, Xfs4IotService } from './surface.ts';

export const DISPENSER_URI = 'ws://atm:5846/xfs4iot/v1.0/CashDispenser1';

export interface Bench {
  readonly machine: MemoryMachine;
  readonly device: MemoryService;
  readonly client: Xfs4IotClient;
  readonly service: Xfs4IotService;
  readonly letters: DeadLetter[];
  readonly late: LateCompletion[];
  readonly log: LogEntry[];
}

/** One service at the usual address, connected. */
export async function bench(
  clock: ClientClock,
  commands: Record<string, readonly string[]>,
  { prepare, ...options }: Partial<ClientOptions> & { prepare?: (device: MemoryService) => void } = {},
): Promise<Bench> {
  const machine = new MemoryMachine();
  machine.publisher(5846, DISPENSER_URI);
  const device = machine.at(DISPENSER_URI);
  answerQueries(device, commands);
  prepare?.(device);
  const kept = { letters: [] as DeadLetter[], late: [] as LateCompletion[], log: [] as LogEntry[] };
  const client = await connect({
    host: 'atm',
    ports: [{ port: 5846, secure: false }],
    clock,
    openSocket: machine.openSocket,
    onDeadLetter: (letter) => kept.letters.push(letter),
    onLateCompletion: (late) => kept.late.push(late),
    log: (entry) => kept.log.push(entry),
    ...options,
  });
  return { machine, device, client, service: client.services()[0]!, ...kept };
}

/** What every service answers while it is connected. */
export function answerQueries(device: MemoryService, commands: Record<string, readonly string[]>): void {
  device
    .answers('Common.Capabilities', capabilities(commands))
    .answers('Common.Status', { common: { device: 'online' } })
    .answers('Storage.GetStorage', { storage: {} });
}

/** A signal that never aborts. */
export const steady = () => new AbortController().signal;

/** Lets everything that is under way without a timer come to its end. */
export const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};
