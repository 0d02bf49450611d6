/** What is done in which run, from one seed: every moment with every process, shuffled, again and again. */
import { seeded } from '../../scripts/random.ts';
import type { CrashService, Intention, NoteBunch } from './customer.ts';
import type { TerminalName, Victim } from './world.ts';

/** When a process is killed: so many ms after the first time that the journal, the screen or the customer reached this. */
export interface Aim {
  readonly service: CrashService;
  readonly victim: Victim;
  readonly moment: string;
}

export interface PlannedRun extends Aim {
  readonly terminal: TerminalName;
  readonly delayMs: number;
  readonly intention: Intention;
  /** How long the process stays away, ms. */
  readonly awayMs: number;
  /** Whether notes in reach of a machine whose terminal is dead are taken. */
  readonly grabs: boolean;
}

/** Journal states by their own names; "inserted" and the like are deeds, the others screens (customer.ts). */
const MOMENTS: Readonly<Record<CrashService, readonly string[]>> = {
  withdraw: [
    'result',
    'begun',
    'authorising',
    'authorised',
    'dispensing',
    'stacked',
    'presenting',
    'presented',
    'taken',
    'paid',
  ],
  deposit: ['result', 'accepting', 'inserted', 'confirm-deposit', 'storing', 'stored', 'returning', 'taken-back'],
  transfer: ['result', 'keyed', 'confirm-transfer', 'begun', 'sending', 'posted'],
  purchase: ['result', 'begun', 'authorising', 'authorised', 'paid'],
};
/** Moments at which the devices do nothing that could be broken off. */
const QUIET: ReadonlySet<string> = new Set([
  'purchase devices result',
  'purchase devices begun',
  'purchase devices paid',
  'transfer devices begun',
  'transfer devices sending',
  'transfer devices posted',
]);

const BARCODES = ['4900000000016', '4900000000023', '4900000000030', '4900000000047', '4900000000061'];

/** All aims of these services. */
export function aims(services: readonly CrashService[]): readonly Aim[] {
  return services.flatMap((service) =>
    MOMENTS[service].flatMap((moment) =>
      (['terminal', 'devices', 'bank'] as const)
        .map((victim) => ({ service, victim, moment }))
        .filter((aim) => !QUIET.has(`${aim.service} ${aim.victim} ${aim.moment}`)),
    ),
  );
}

/** One run after the other; every aim once before any comes twice. */
export function* runs(seed: number, deck: readonly Aim[]): Generator<PlannedRun, never> {
  const fraction = seeded(seed);
  const below = (limit: number) => Math.floor(fraction() * limit);
  for (;;) {
    const left = [...deck];
    while (left.length > 0) {
      const [aim] = left.splice(below(left.length), 1);
      yield planned(aim!, fraction, below);
    }
  }
}

function planned(aim: Aim, fraction: () => number, below: (limit: number) => number): PlannedRun {
  const notes: NoteBunch[] = [
    { denominationMinor: 10_000, count: below(2) },
    { denominationMinor: 5_000, count: below(2) },
    { denominationMinor: 1_000, count: 1 + below(3) },
  ].filter(({ count }) => count > 0);
  const scale = fraction();
  return {
    ...aim,
    terminal: aim.service === 'purchase' ? 'checkout' : 'atm',
    // A third at once, a third within what a program does, a third within what a mechanism does.
    delayMs: scale < 0.33 ? 0 : fraction() * (scale < 0.67 ? 25 : 400),
    awayMs: fraction() * 1_500,
    grabs: fraction() < 0.5,
    intention: {
      service: aim.service,
      amountMinor: 1_000 * (1 + below(6)),
      notes,
      barcodes: Array.from({ length: 1 + below(3) }, () => BARCODES[below(BARCODES.length)]!),
      takes: aim.moment === 'taken' || fraction() < 0.7 ? (fraction() < 0.8 ? 'all' : 'one') : 'none',
      confirms: !['returning', 'taken-back'].includes(aim.moment),
    },
  };
}
