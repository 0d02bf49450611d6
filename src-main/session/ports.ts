/** Everything a visit needs of the world, as parameters. src-main/terminal.ts gives the real ones, tests give others. */
import type { P256PublicJwk } from '../../src-contract/bank-api.ts';
import type { LivenessEvidence } from '../../src-contract/match-result.ts';
import type { Policy } from '../../src-contract/policy.ts';
import type { Language, Profile, Service, Uuid } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Goods } from '../config/goods.ts';
import type { Devices } from '../devices/devices.ts';
import type { Receipt } from '../devices/receipt.ts';
import type { PrintCompletion } from '../devices/receipt-printer.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { Journal } from '../journal/journal.ts';
import type { OutboxMessage } from '../journal/outbox.ts';
import type { TrustedTime } from '../policy/trusted-time.ts';
import type { BankClient } from '../sync/bank-client.ts';
import type { Sync } from '../sync/sync.ts';
import type { Observation, Vision } from '../vision/observation.ts';
import type { AnyEvent, EventOf } from './recovery-table.ts';
import type { Standing } from './standing.ts';

/** The whole: records what recovery-table.ts has. */
export type SessionPorts = Ports<AnyEvent>;
/** For the steps of one service, or of several: records the states that all of them have. */
export type PortsOf<For extends Service> = Ports<EventOf<For>>;
/** For a step that any service may take: records nothing of a transaction. */
export type StepPorts = Ports<never>;

interface Ports<Event> {
  readonly terminal: {
    readonly id: Uuid;
    readonly name: string;
    readonly profile: Profile;
    readonly services: readonly Service[];
  };
  readonly clock: Clock;
  readonly chance: Chance;
  readonly devices: Devices;
  readonly bank: Pick<BankClient, 'authorise' | 'claimedIdentity' | 'enrol' | 'payee' | 'transfer' | 'inquire'>;
  readonly sync: Pick<Sync, 'online' | 'onOnline' | 'flush' | 'soon' | 'resultsRefused'>;
  readonly journal: Omit<Journal, 'record'> & {
    // A property, so that the compiler lets no wider journal be taken for a narrower one (strictFunctionTypes).
    readonly record: (transactionId: Uuid, event: Event, outbox?: readonly OutboxMessage[]) => void;
  };
  readonly gallery: Gallery;
  readonly models: Vision['models'];
  /** The bank's, verified. Only asked for while `standing` lets people be served, or during a visit that began then. */
  readonly policy: () => Policy;
  readonly standing: Pick<Standing, 'reason' | 'onChange'>;
  readonly time: Pick<TrustedTime, 'now' | 'runMs' | 'offlineMs' | 'heardAt'>;
  /** The bank's key for PIN blocks. */
  readonly pinKey: P256PublicJwk & { readonly kid: string };
  /** Turns the camera on while anyone watches. Returns how to stop. */
  readonly watch: (listener: (observation: Observation) => void) => () => void;
  readonly weighLiveness: (frames: readonly Observation[]) => LivenessEvidence;
  /** Whether two embeddings can be of one person, by the model's calibration. */
  readonly samePerson: (a: Float32Array, b: Float32Array) => boolean;
  readonly goods: ReadonlyMap<string, Goods>;
  /** Prints a receipt; never throws: a receipt that can't be printed is an outcome. */
  readonly print: (
    receipt: Omit<Receipt, 'terminalName' | 'demonstration'>,
    signal: AbortSignal,
  ) => Promise<PrintCompletion>;
  readonly patience: Config['patience'];
  /** The visit's language now; it can change at any time. */
  readonly language: () => Language;
  /** Names of devices that a suspect transaction blocks until a technician looked. */
  readonly blocked: ReadonlySet<string>;
  /** Stops offering what needs this device; durable through the suspect transaction in the journal. */
  readonly block: (device: string) => void;
}
