/**
 * Every state that a transaction can be in, and what a restart does with one that was left in it. recovery.ts reads this table
 * and decides nothing beside it; the journal of a visit takes no state that is not here (ports.ts), and a state has no place
 * here without its rule: neither compiles. docs/money.md shows it, and a test keeps the two in step.
 *
 * A new service begins with its rows. A state is recorded before what it names is tried, so its rule has to be right whether
 * that was done, half done, or never begun.
 */
import type { Service } from '../../src-contract/primitives.ts';
import type { Devices } from '../devices/devices.ts';
import type { StandInReservation } from '../journal/journal.ts';

/** How a transaction ends. */
export interface Ending<State extends string = string> {
  readonly as: State;
  /** The bank is told to let go of what it holds, or not to begin to. */
  readonly reverse?: true;
}

/** The rules there are. */
export type Rule<State extends string = string> =
  /** Only ever recorded as the last state: there is nothing to do. */
  | { readonly rule: 'over' }
  /** Nothing moved and nothing is held, or what undoes it is queued already. */
  | ({ readonly rule: 'end' } & Ending<State>)
  /** The dispenser says where its notes are. Notes in its path go back inside; what was taken is captured, else it is reversed. */
  | { readonly rule: 'ask-dispenser' }
  /** The acceptor says where its notes are. Notes in escrow are kept inside, and notes given back that lie in reach are retracted; what
   *  was stored is credited, else nothing. */
  | { readonly rule: 'ask-acceptor' }
  /** Only the bank can say. It is asked by the key of the request that was not answered, and bars that key when it never saw
   *  it. While it is away the transaction stays open in the state "asking-bank"; nothing else waits for it. */
  | {
      readonly rule: 'ask-bank';
      /** Where the detail of the last event that has it carries the key of the unanswered request. */
      readonly about: string;
      /** By the `outcome` of the bank's first answer to that request. Any other leaves the transaction open. */
      readonly answers: Readonly<Record<string, Ending<State>>>;
      /** The request had no effect, and never will. */
      readonly barred: Ending<State>;
    }
  /** The person withdrew consent, and the bank will hear: what this terminal knows of them is forgotten. */
  | { readonly rule: 'forget' }
  /** Nobody but a person can say. The amount stays held and the device blocked until it was counted. */
  | { readonly rule: 'suspect' };

export interface Row<State extends string = string> {
  /** What is certain in this state, for who reads a journal. */
  readonly known: string;
  readonly onRestart: Rule<State>;
}

export interface ServiceTable<States extends Record<string, Row> = Record<string, Row>> {
  /** The device whose word settles this service, and which a suspect blocks; null where no cash moves. */
  readonly device: Extract<keyof Devices, 'cashDispenser' | 'cashAcceptor'> | null;
  readonly states: States;
}

/** The state that recovery records while the bank is away. A visit may record it as the last it does with a transaction, so none
 *  is ever at one at the same time. */
export const ASKING_BANK = 'asking-bank';

const over = (known: string) => ({ known, onRestart: { rule: 'over' } }) as const;
const end = <const State extends string>(known: string, as: State) =>
  ({ known, onRestart: { rule: 'end', as } }) as const;
const dispenser = (known: string) => ({ known, onRestart: { rule: 'ask-dispenser' } }) as const;
const acceptor = (known: string) => ({ known, onRestart: { rule: 'ask-acceptor' } }) as const;
const suspect = (known: string) => ({ known, onRestart: { rule: 'suspect' } }) as const;
/** Asked to hold money. `ifHeld`: how it ends when it does; then it is told to let go. */
const holdAsked = <const State extends string>(known: string, ifHeld: State) =>
  ({
    known,
    onRestart: {
      rule: 'ask-bank',
      about: 'authorisationKey',
      answers: { approved: { as: ifHeld, reverse: true }, declined: { as: 'declined' } },
      barred: { as: 'interrupted' },
    },
  }) as const;

/** The states of asking the bank to hold money, the same for everything that asks. */
const asking = {
  'not-asked': end('the bank could not be asked; nothing is held', 'interrupted'),
  unanswered: end('the bank did not answer; a reversal is queued, whatever it did', 'interrupted'),
  declined: end('the bank said no; after a wrong PIN another try may follow', 'interrupted'),
  refused: over('the bank did not accept the question'),
  cancelled: over('the customer left before anything was held'),
  interrupted: over('a restart ended it; nothing moved, and nothing is held or what was held is being reversed'),
} as const;

const withdraw = {
  device: 'cashDispenser',
  states: {
    begun: end('nothing was asked', 'interrupted'),
    ...asking,
    'no-nonce': over('the dispenser wants a token and gave no nonce to ask with'),
    authorising: holdAsked('the bank was asked to hold the amount; the dispenser was told nothing', 'not-paid'),
    [ASKING_BANK]: holdAsked('a restart wants to know whether the bank holds the amount', 'not-paid'),
    authorised: dispenser('the bank holds the amount; the dispenser was told nothing'),
    dispensing: dispenser('the dispenser was told to stack notes'),
    stacked: dispenser('notes wait inside'),
    'token-refused': dispenser('the dispenser refused the token and moved nothing'),
    'dispense-failed': dispenser('the dispenser says that it failed'),
    'dispense-unanswered': dispenser('the dispenser did not say whether it stacked'),
    presenting: dispenser('the dispenser was told to show the notes'),
    presented: dispenser('notes were in reach'),
    'present-failed': dispenser('the dispenser says that it did not show them'),
    'present-unanswered': dispenser('the dispenser did not say whether it showed them'),
    'taking-unanswered': dispenser('the dispenser did not say whether they were taken'),
    clearing: dispenser('notes inside were being cleared into the reject unit'),
    retracting: dispenser('notes nobody took were being taken back'),
    paid: over('the customer has notes; the capture of their value is queued'),
    'not-paid': over('the customer has none of the notes; the reversal is queued'),
    'settled-by-count': over('a technician counted what the customer got; the signed count is queued'),
    suspect: suspect('the dispenser cannot say what the customer has'),
  },
} as const satisfies ServiceTable;

const deposit = {
  device: 'cashAcceptor',
  states: {
    begun: acceptor('the acceptor was told nothing'),
    accepting: acceptor('the acceptor was told to take notes; they are the customer’s'),
    storing: acceptor('the customer agreed to the count; the acceptor was told to store'),
    returning: acceptor('the acceptor was told to give the notes back'),
    'given-back': acceptor('the notes were given back and lay in reach; they are the customer’s'),
    retracting: acceptor('notes given back that nobody took were being taken back'),
    stored: over('the notes are in the machine; the credit of their value is queued'),
    returned: over('the customer has the notes back, or none were put in'),
    retracted: over('nobody took notes given back; they are in the retract unit, and nothing was booked'),
    'settled-by-count': over('a technician counted what the machine kept; the signed count is queued'),
    suspect: suspect('the acceptor cannot say who has the notes'),
  },
} as const satisfies ServiceTable;

const purchase = {
  device: null,
  states: {
    begun: end('nothing was asked', 'interrupted'),
    ...asking,
    authorising: holdAsked('the bank was asked to hold the amount; the goods were not released', 'interrupted'),
    [ASKING_BANK]: holdAsked('a restart wants to know whether the bank holds the amount', 'interrupted'),
    authorised: {
      known: 'the bank holds the amount; the goods were not released',
      onRestart: { rule: 'end', as: 'interrupted', reverse: true },
    },
    'standing-in': end('the stand-in’s limits are reserved, until the end; the goods were not released', 'interrupted'),
    paid: over('the goods are the customer’s; the capture is queued'),
    'stood-in': over('the goods are the customer’s; the stand-in is queued'),
    'consent-withdrawn': over('the person has withdrawn consent, and pays with this face no more'),
    'stand-in-refused': over('the bank was away, and its limits allow no stand-in'),
  },
} as const satisfies ServiceTable;

const enrol = {
  device: null,
  states: {
    begun: end('the bank was asked to enrol; its gallery feed says whether it did', 'interrupted'),
    enrolled: over('the bank knows the person'),
    refused: over('the bank did not enrol'),
    unanswered: over('the bank did not answer; its gallery feed says whether it did'),
    interrupted: over('a restart ended it'),
  },
} as const satisfies ServiceTable;

/** Asking for a balance moves nothing and begins no transaction; older journals may hold one. */
const balance = {
  device: null,
  states: {
    begun: end('nothing moves', 'interrupted'),
    interrupted: over('a restart ended it'),
  },
} as const satisfies ServiceTable;

/** Asked to move money between two accounts. */
const transferAsked = (known: string) =>
  ({
    known,
    onRestart: {
      rule: 'ask-bank',
      about: 'transferKey',
      answers: { posted: { as: 'posted' }, declined: { as: 'declined' } },
      barred: { as: 'not-posted' },
    },
  }) as const;

const transfer = {
  device: null,
  states: {
    begun: end('the customer agreed; the bank was asked nothing', 'interrupted'),
    'not-asked': over('the bank could not be asked; nothing moved'),
    sending: transferAsked('the bank was asked to move the amount, once or more under one key'),
    [ASKING_BANK]: transferAsked('nobody waits any more; whether the amount moved is asked when the bank is back'),
    posted: over('the bank moved the amount'),
    declined: over('the bank said no; nothing moved'),
    refused: over('the bank did not accept the request; nothing moved'),
    'not-posted': over('the bank never saw the request and has barred it; nothing moved'),
    interrupted: over('a restart ended it; nothing moved'),
  },
} as const satisfies ServiceTable;

const optOut = {
  device: null,
  states: {
    begun: {
      known: 'the person withdrew consent; the bank’s message is queued, and what is known here is not yet gone',
      onRestart: { rule: 'forget' },
    },
    forgotten: over('template and pending authority are gone from this terminal; the receipt follows'),
  },
} as const satisfies ServiceTable;

export const RECOVERY = {
  enrol,
  deposit,
  withdraw,
  transfer,
  balance,
  purchase,
  'opt-out': optOut,
} as const satisfies Record<Service, ServiceTable>;

type States<For extends Service> = (typeof RECOVERY)[For]['states'];
/** A state of the service; of several services, one that all of them have. */
export type State<For extends Service> = keyof States<For> & string;
type OverState<For extends Service> = {
  [One in State<For>]: States<For>[One] extends { onRestart: { rule: 'over' } } ? One : never;
}[State<For>];

/** What may be recorded of a transaction of the service: its states, and those that end it only as the end. */
export type EventOf<For extends Service> = {
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Begins a stand-in, and reserves for it. */
  readonly standIn?: StandInReservation;
} & (
  | { readonly state: OverState<For>; readonly final: true }
  | { readonly state: Exclude<State<For>, OverState<For>>; readonly final?: boolean }
);
/** What may be recorded of some transaction. */
export type AnyEvent = { [For in Service]: EventOf<For> }[Service];
type AnyState = AnyEvent['state'];

/** The rule for a transaction left in this state. Nobody but a person can say what is behind a state that this version of the
 *  program does not have. */
export function ruleFor(service: Service, state: string): Rule<AnyState> {
  const states: Readonly<Record<string, Row>> = RECOVERY[service].states;
  // A state comes from the journal, and "constructor" is none.
  const row = Object.hasOwn(states, state) ? states[state] : undefined;
  return row ? (row.onRestart as Rule<AnyState>) : { rule: 'suspect' };
}

/** The device that has to be asked about a transaction left in this state; null where none has. */
export function deviceToAsk(service: Service, state: string): ServiceTable['device'] {
  const { rule } = ruleFor(service, state);
  return rule === 'ask-dispenser' || rule === 'ask-acceptor' ? RECOVERY[service].device : null;
}

/** No customer is offered this service's device until a technician has looked; durable through the suspect in the journal. */
export function blockDeviceOf(service: Service, ports: { devices: Devices; block: (device: string) => void }): void {
  const { device } = RECOVERY[service];
  const name = device === null ? undefined : ports.devices[device]?.name;
  if (name !== undefined) ports.block(name);
}

/** A visit that broke down may leave a transaction of which only its device can say where the notes are. Its device serves nobody
 *  until the restart has asked: notes of it may still go out or come back, and the device's counts promise them to somebody else. */
export function blockUnsettled(ports: {
  devices: Devices;
  block: (device: string) => void;
  journal: { openTransactions(): readonly { readonly service: Service; readonly state: string }[] };
}): void {
  for (const { service, state } of ports.journal.openTransactions()) {
    if (deviceToAsk(service, state) !== null) blockDeviceOf(service, ports);
  }
}
