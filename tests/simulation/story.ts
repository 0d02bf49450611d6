/**
 * What happens in one run, as a list made from the seed before anything happens: who comes when and how they behave, and what goes
 * wrong when. Each item is whole in itself, with a seed of its own for what it leaves open, so that a story with some items taken
 * out is a story still: that is how one that ends badly is made short.
 */
import type { Language, Service } from '../../src-contract/primitives.ts';
import type { UnitLoad } from '../../src-main/devices/simulated/cash-state.ts';
import type { FaultDevice } from '../../src-main/devices/simulated/faults.ts';
import { START_MS } from '../support/virtual-time.ts';
import { Stream } from './generator.ts';

export interface TerminalSetup {
  readonly name: string;
  readonly profile: 'atm' | 'checkout';
  readonly load: readonly UnitLoad[];
  /** Between two rounds with the bank, ms. */
  readonly roundMs: number;
  /** When the business day is cut off, UTC, HH:MM; null where only technicians close days. */
  readonly cutOff: string | null;
}

export interface Visit {
  readonly kind: 'visit';
  readonly at: number;
  readonly terminal: string;
  readonly person: number;
  readonly service: Service;
  readonly language: Language;
  /** A withdrawal's or transfer's, yen. */
  readonly yen: number;
  /** A transfer's: the numbers that are keyed in, one after the other, as places in the list of payees; −1 is nobody's. */
  readonly payees: readonly number[];
  /** A deposit's bunches: notes by denomination; 0 is paper that is no money. */
  readonly bunches: readonly Readonly<Record<number, number>>[];
  /** A purchase's, as places in the list of goods. */
  readonly goods: readonly number[];
  readonly wrongPins: number;
  /** When the notes that are handed out are taken. */
  readonly takes: 'at once' | 'in time' | 'late' | 'never';
  /** Whether notes that are given back are taken. */
  readonly takesBack: boolean;
  readonly receipt: boolean;
  /** Changes their mind where the screen lets them: before money goes in, or at the count. */
  readonly cancels: 'never' | 'at the first chance' | 'at the count';
  /** Walks away after so many screens; null stays. */
  readonly leavesAfter: number | null;
  readonly seed: string;
}

export type LineTrouble =
  | 'request lost'
  | 'answer lost'
  | 'answer late'
  | 'request late'
  | 'request doubled'
  | 'garbage'
  | 'server error';

export type Trouble =
  /** The plug is pulled at the so-many-th effect from then on. */
  | {
      readonly kind: 'power cut';
      readonly at: number;
      readonly terminal: string;
      readonly effects: number;
      readonly offMs: number;
    }
  | { readonly kind: 'bank down'; readonly at: number; readonly forMs: number }
  | {
      readonly kind: 'line';
      readonly at: number;
      readonly terminal: string;
      readonly trouble: LineTrouble;
      /** Requests about money or results that pass unharmed before. */
      readonly after: number;
      readonly times: number;
      readonly delayMs: number;
    }
  | {
      readonly kind: 'device';
      readonly at: number;
      readonly terminal: string;
      readonly device: FaultDevice;
      readonly fault: string;
      /** Null: strikes once. */
      readonly forMs: number | null;
    }
  | { readonly kind: 'clock step'; readonly at: number; readonly terminal: string; readonly byMs: number }
  | {
      readonly kind: 'disk full';
      readonly at: number;
      readonly terminal: string;
      readonly forMs: number;
      readonly reservePages: number;
    }
  /** A technician closes the business day. */
  | { readonly kind: 'day close'; readonly at: number; readonly terminal: string }
  | { readonly kind: 'restart'; readonly at: number; readonly terminal: string };

export type Item = Visit | Trouble;

export interface Story {
  readonly seed: number;
  /** Until then things go wrong, ms; after it everything heals. */
  readonly lengthMs: number;
  readonly terminals: readonly TerminalSetup[];
  readonly people: number;
  /** In order of time. */
  readonly items: readonly Item[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Longest run in which the terminals close their days by themselves. */
const CUT_OFF_MS_MAX = 2 * HOUR;
/** Goods of the demonstration's list that a basket is made of. */
const GOODS = 6;
/** Accounts that were opened at the counter, and that people pay to. */
const PAYEES = 2;
/** 800 yen: some of it needs no PIN. */
const SPREE_GOODS = 5;

/** Faults of devices, by how they are named in a report; weight within their kind. */
const DEVICE_TROUBLES: readonly (readonly [device: FaultDevice, fault: string, weight: number])[] = [
  ['cash-dispenser', 'jam-on-dispense', 2],
  ['cash-dispenser', 'jam-on-present', 2],
  ['cash-dispenser', 'shutter-jam', 2],
  ['cash-dispenser', 'present-unknown', 4],
  ['cash-dispenser', 'short', 2],
  ['cash-dispenser', 'cassette-empty', 1],
  ['cash-dispenser', 'answer-lost', 2],
  ['cash-dispenser', 'slow', 1],
  ['cash-dispenser', 'gone', 2],
  ['cash-acceptor', 'jam-on-count', 2],
  ['cash-acceptor', 'jam-on-store', 4],
  ['cash-acceptor', 'jam-on-return', 2],
  ['cash-acceptor', 'escrow-full', 2],
  ['cash-acceptor', 'refuse-notes', 1],
  ['cash-acceptor', 'tray-blocked', 1],
  ['cash-acceptor', 'answer-lost', 2],
  ['cash-acceptor', 'slow', 1],
  ['cash-acceptor', 'gone', 2],
  ['pin-pad', 'gone', 1],
  ['pin-pad', 'answer-lost', 1],
  ['receipt-printer', 'paper-jam', 1],
  ['receipt-printer', 'gone', 1],
];
const LINE_TROUBLES: readonly LineTrouble[] = [
  'request lost',
  'answer lost',
  'answer lost',
  'answer late',
  'request late',
  'request doubled',
  'garbage',
  'server error',
];
const KINDS = ['power cut', 'bank down', 'line', 'device', 'clock step', 'disk full', 'restart', 'day close'] as const;

export interface StoryOptions {
  /** How long things go wrong, hours; drawn where not given. */
  readonly hours?: number;
}

export function makeStory(seed: number, { hours }: StoryOptions = {}): Story {
  const shape = new Stream(`${seed}/shape`);
  const lengthMs = Math.round((hours ?? shape.pick([0.5, 1, 2, 6, 24, 72])) * HOUR);
  const terminals = setups(shape, lengthMs);
  const people = shape.weighed([
    [1, 4],
    [2, 3],
    [3, 1],
  ])!;
  const visits = makeVisits(new Stream(`${seed}/visits`), { seed, lengthMs, terminals, people });
  const troubles = makeTroubles(new Stream(`${seed}/troubles`), { lengthMs, terminals, visits });
  const spree = makeSpree(new Stream(`${seed}/spree`), { seed, lengthMs, terminals, people });
  const mishaps = makeMishaps(new Stream(`${seed}/mishaps`), { seed, lengthMs, terminals, people });
  const items = [...visits, ...troubles, ...spree, ...mishaps].sort((a, b) => a.at - b.at);
  return { seed, lengthMs, terminals, people, items };
}

function setups(shape: Stream, lengthMs: number): TerminalSetup[] {
  const roundMs = Math.max(shape.pick([1, 3, 10]) * MINUTE, Math.round(lengthMs / 5));
  const notes = (most: number) => (shape.chance(0.2) ? shape.whole(0, 6) : shape.whole(20, most));
  const capacity = shape.chance(0.1) ? 60 : 2_000;
  const load: UnitLoad[] = [
    { id: 'CST1', kind: 'recycle', denominationMinor: 1_000, count: Math.min(notes(200), capacity), capacity },
    { id: 'CST2', kind: 'recycle', denominationMinor: 5_000, count: Math.min(notes(100), capacity), capacity },
    { id: 'CST3', kind: 'recycle', denominationMinor: 10_000, count: Math.min(notes(200), capacity), capacity },
    { id: 'CIN', kind: 'cashIn', denominationMinor: null, count: 0, capacity: 1_000 },
    { id: 'REJ', kind: 'reject', denominationMinor: null, count: 0, capacity: 300 },
    { id: 'RET', kind: 'retract', denominationMinor: null, count: 0, capacity: 300 },
  ];
  // Counts are looked at twice a minute: over hours that would be most of what a run does.
  const cutOff = lengthMs <= CUT_OFF_MS_MAX ? clock((START_MS % DAY) + shape.fraction() * lengthMs).slice(0, 5) : null;
  const atm = { name: 'ATM', profile: 'atm', load, roundMs, cutOff } as const;
  const checkout = { name: 'Checkout', profile: 'checkout', load: [], roundMs, cutOff } as const;
  return shape.chance(0.5) ? [atm, checkout] : [atm];
}

interface Cast {
  readonly seed: number;
  readonly lengthMs: number;
  readonly terminals: readonly TerminalSetup[];
  readonly people: number;
}

function makeVisits(stream: Stream, { seed, lengthMs, terminals, people }: Cast): Visit[] {
  const visits: Visit[] = [];
  const add = (at: number, person: number, service: Service, terminal: string, change: Partial<Visit> = {}) =>
    visits.push({
      ...someVisit(stream, `${seed}/visit ${visits.length}`),
      at: Math.round(at),
      terminal,
      person,
      service,
      ...change,
    });
  // Everybody comes to be enrolled and to put money in; then whoever likes.
  for (let person = 0; person < people; person += 1) {
    const at = stream.fraction() * lengthMs * 0.2;
    const plenty = [{ 10000: stream.whole(2, 9) }, bunch(stream)];
    add(at, person, 'enrol', 'ATM', WILLING);
    add(at + 3 * MINUTE, person, 'deposit', 'ATM', { ...WILLING, bunches: plenty });
  }
  const more = stream.whole(2, 7);
  for (let n = 0; n < more; n += 1) {
    const { name, profile } = stream.pick(terminals);
    const service =
      profile === 'checkout'
        ? stream.weighed([
            ['purchase', 12],
            ['opt-out', 1],
          ] as const)!
        : stream.weighed([
            ['withdraw', 7],
            ['deposit', 3],
            ['transfer', 2.5],
            ['balance', 0.5],
            ['enrol', 0.5],
            ['opt-out', 0.7],
          ] as const)!;
    add(lengthMs * (0.1 + 0.9 * stream.fraction()), stream.whole(0, people - 1), service, name);
  }
  return visits;
}

const WILLING = { leavesAfter: null, cancels: 'never', wrongPins: 0 } as const;

/** How somebody may behave, whatever they come for. */
function someVisit(stream: Stream, seed: string): Omit<Visit, 'at' | 'terminal' | 'person' | 'service'> {
  return {
    kind: 'visit',
    language: stream.pick(['ja', 'en'] as const),
    yen: stream.weighed([
      [1_000 * stream.whole(1, 20), 4],
      [10_000 * stream.whole(1, 4), 2],
      [7_000, 1],
      [500_000, 0.2],
    ])!,
    bunches: Array.from({ length: stream.whole(1, 2) }, () => bunch(stream)),
    payees: stream.weighed([
      [[stream.whole(0, PAYEES - 1)], 5],
      [[-1, stream.whole(0, PAYEES - 1)], 1],
      [[stream.whole(0, PAYEES - 1), stream.whole(0, PAYEES - 1)], 1],
    ])!,
    goods: Array.from({ length: stream.whole(1, 3) }, () => stream.whole(0, GOODS - 1)),
    wrongPins: stream.weighed([
      [0, 16],
      [1, 2],
      [3, 0.8],
    ])!,
    takes: stream.weighed([
      ['at once', 4],
      ['in time', 4],
      ['late', 2],
      ['never', 1],
    ] as const)!,
    takesBack: stream.chance(0.8),
    receipt: stream.chance(0.5),
    cancels: stream.weighed([
      ['never', 12],
      ['at the first chance', 1],
      ['at the count', 1],
    ] as const)!,
    leavesAfter: stream.chance(0.06) ? stream.whole(1, 6) : null,
    seed,
  };
}

/** Somebody who wants their money moved, and one thing that goes wrong in just that visit. */
function makeMishaps(stream: Stream, { seed, lengthMs, people }: Cast): Item[] {
  const items: Item[] = [];
  const many = stream.whole(0, 2);
  for (let n = 0; n < many; n += 1) {
    const at = Math.round(lengthMs * (0.3 + 0.7 * stream.fraction()));
    const service = stream.pick(['withdraw', 'withdraw', 'deposit', 'transfer'] as const);
    const person = stream.whole(0, people - 1);
    const yen = 1_000 * stream.whole(1, 12);
    items.push({ ...someVisit(stream, `${seed}/mishap ${n}`), ...WILLING, at, terminal: 'ATM', person, service, yen });
    const where = { at: at + stream.whole(0, 15_000), terminal: 'ATM' };
    const device = ({ withdraw: 'cash-dispenser', deposit: 'cash-acceptor', transfer: null } as const)[service];
    const kind = stream.pick(['power cut', 'line', device ? 'device' : 'line'] as const);
    items.push(
      kind === 'device'
        ? deviceTrouble(
            stream,
            where,
            DEVICE_TROUBLES.filter(([name]) => name === device),
          )
        : makeTrouble(stream, kind, where),
    );
  }
  return items;
}

/** Somebody who buys and buys while the bank is away: what a terminal may let through on its own has an end. */
function makeSpree(stream: Stream, { seed, lengthMs, terminals, people }: Cast): Item[] {
  const checkout = terminals.find(({ profile }) => profile === 'checkout');
  if (!checkout || !stream.chance(0.3)) return [];
  const { name: terminal } = checkout;
  const from = Math.round(lengthMs * (0.4 + 0.4 * stream.fraction()));
  const person = stream.whole(0, people - 1);
  const items: Item[] = [{ kind: 'bank down', at: from, forMs: 2 * HOUR }];
  for (let n = 0; n < 4; n += 1) {
    const at = from + (n + 1) * 3 * MINUTE;
    const goods = Array.from({ length: stream.whole(2, 3) }, () => SPREE_GOODS);
    const visit = { ...someVisit(stream, `${seed}/spree ${n}`), ...WILLING };
    items.push({ ...visit, at, terminal, person, service: 'purchase', goods });
    if (stream.chance(0.5)) items.push({ kind: 'restart', at: at + 2 * MINUTE, terminal });
  }
  return items;
}

function bunch(stream: Stream): Record<number, number> {
  const notes: Record<number, number> = {};
  const kinds = stream.whole(1, 2);
  for (let n = 0; n < kinds; n += 1) notes[stream.pick([1_000, 2_000, 5_000, 10_000])] = stream.whole(1, 8);
  if (stream.chance(0.15)) notes[0] = stream.whole(1, 2);
  return notes;
}

/** Kinds of trouble off, as usual, or far up: a run with all of them a little finds less than runs with much of one. */
function makeTroubles(
  stream: Stream,
  { lengthMs, terminals, visits }: { lengthMs: number; terminals: readonly TerminalSetup[]; visits: readonly Visit[] },
): Trouble[] {
  const troubles: Trouble[] = [];
  for (const kind of KINDS) {
    const often = stream.weighed([
      [0, 5],
      [stream.whole(1, 2), 4],
      [stream.whole(3, 7), 1.5],
    ])!;
    for (let n = 0; n < often; n += 1) {
      // Most things go wrong while somebody is there to be harmed.
      const visit = stream.pick(visits);
      const at = stream.chance(0.85)
        ? visit.at + Math.round(stream.fraction() * 70_000)
        : Math.round(stream.fraction() * lengthMs);
      const terminal = stream.chance(0.9) ? visit.terminal : stream.pick(terminals).name;
      troubles.push(makeTrouble(stream, kind, { at: Math.min(at, lengthMs - 1), terminal }));
    }
  }
  return troubles;
}

function makeTrouble(stream: Stream, kind: (typeof KINDS)[number], where: { at: number; terminal: string }): Trouble {
  switch (kind) {
    case 'power cut': {
      const offMs = stream.pick([2_000, MINUTE, 20 * MINUTE]);
      // A deposit has some forty effects, and its last ones matter most.
      const effects = stream.weighed([
        [stream.whole(1, 12), 3],
        [stream.whole(13, 45), 1],
      ])!;
      return { kind, ...where, effects, offMs };
    }
    case 'bank down': {
      const forMs = stream.pick([3_000, 20_000, 2 * MINUTE, 30 * MINUTE, 5 * HOUR, 40 * HOUR]);
      return { kind, at: where.at, forMs };
    }
    case 'line':
      return {
        kind,
        ...where,
        trouble: stream.pick(LINE_TROUBLES),
        // A result goes first, then the question about money, then what came of it.
        after: stream.pick([0, 1, 1, 2, 2, 3]),
        times: stream.weighed([
          [1, 6],
          [2, 2],
          [5, 1],
        ])!,
        delayMs: stream.pick([500, 5_000, 9_000, 40_000, 10 * MINUTE]),
      };
    case 'device':
      return deviceTrouble(stream, where, DEVICE_TROUBLES);
    case 'clock step':
      return { kind, ...where, byMs: stream.pick([-HOUR, -90_000, -1_000, 1_000, 90_000, HOUR, 48 * HOUR]) };
    case 'disk full':
      return {
        kind,
        ...where,
        forMs: stream.pick([3_000, 30_000, 10 * MINUTE]),
        reservePages: stream.pick([0, 2, 200]),
      };
    case 'restart':
    case 'day close':
      return { kind, ...where };
  }
}

function deviceTrouble(
  stream: Stream,
  where: { at: number; terminal: string },
  of: typeof DEVICE_TROUBLES,
): Extract<Trouble, { kind: 'device' }> {
  const [device, fault] = stream.weighed(of.map((one) => [one, one[2]] as const))!;
  const stays = fault === 'gone' || (['shutter-jam', 'answer-lost', 'paper-jam'].includes(fault) && stream.chance(0.3));
  return { kind: 'device', ...where, device, fault, forMs: stays ? stream.pick([3_000, 30_000, 10 * MINUTE]) : null };
}

const clock = (at: number) => {
  const s = Math.round(at / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
};
const lasting = (ms: number) => (ms < MINUTE ? `${ms / 1000} s` : ms < HOUR ? `${ms / MINUTE} min` : `${ms / HOUR} h`);

/** One line for a person. */
export function sentenceOf(item: Item): string {
  return `${clock(item.at)}  ${saying(item)}`;
}

function saying(item: Item): string {
  switch (item.kind) {
    case 'visit':
      return visitSaying(item);
    case 'power cut':
      return `the plug of ${item.terminal} is pulled at its ${item.effects}. effect from then on, for ${lasting(item.offMs)}`;
    case 'bank down':
      return `the bank is down for ${lasting(item.forMs)}`;
    case 'line':
      return `on the line of ${item.terminal}: ${item.trouble}, ${item.times}×, after ${item.after} that pass (${lasting(item.delayMs)})`;
    case 'device':
      return `${item.device} of ${item.terminal}: ${item.fault}${item.forMs === null ? ', once' : `, for ${lasting(item.forMs)}`}`;
    case 'clock step':
      return `the clock of ${item.terminal} jumps by ${item.byMs < 0 ? '−' : '+'}${lasting(Math.abs(item.byMs))}`;
    case 'disk full':
      return `the disk of ${item.terminal} is full for ${lasting(item.forMs)}, with ${item.reservePages} pages in reserve`;
    case 'day close':
      return `the business day of ${item.terminal} is closed`;
    case 'restart':
      return `${item.terminal} is restarted`;
  }
}

function visitSaying(visit: Visit): string {
  const what = {
    enrol: '',
    balance: '',
    withdraw: ` ${visit.yen} yen, takes them ${visit.takes}`,
    transfer: ` ${visit.yen} yen to ${visit.payees.map((payee) => (payee === -1 ? 'nobody' : `account ${payee}`)).join(', then ')}`,
    deposit: ` ${JSON.stringify(visit.bunches)}`,
    purchase: ` goods ${visit.goods.join(', ')}`,
  } as Readonly<Record<string, string>>;
  const more = [
    visit.wrongPins > 0 ? `${visit.wrongPins} wrong PINs` : null,
    visit.cancels === 'never' ? null : `cancels ${visit.cancels}`,
    visit.leavesAfter === null ? null : `leaves after ${visit.leavesAfter} screens`,
    visit.takesBack ? null : 'leaves what is given back',
    visit.receipt ? 'wants a receipt' : null,
  ].filter((one) => one !== null);
  return `person ${visit.person} at ${visit.terminal}: ${visit.service}${what[visit.service] ?? ''}${more.map((one) => `; ${one}`).join('')}`;
}
