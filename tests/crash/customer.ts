/**
 * A customer before a terminal: answers whatever the screen asks, as planned, until it is back at its start. Knows the screen, the
 * slots and the keys, and nothing of what goes on behind them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { askControl } from '../../scripts/demo/devices.ts';
import type { Screen as ScreenView, View } from '../../src-contract/screen.ts';
import type { Terminal } from './world.ts';

const KEYS = ['four', 'six', 'eight', 'two', 'enter'];
export type CrashService = 'deposit' | 'withdraw' | 'purchase' | 'transfer';

export interface NoteBunch {
  readonly denominationMinor: number;
  readonly count: number;
}

export interface Intention {
  readonly service: CrashService | 'enrol';
  /** Of a withdrawal or a transfer. */
  readonly amountMinor?: number;
  /** Of a deposit. */
  readonly notes?: readonly NoteBunch[];
  /** Of a transfer: the number of the account to pay. */
  readonly payee?: string;
  /** Of a purchase: what is scanned. */
  readonly barcodes?: readonly string[];
  /** What happens to presented notes: taken, one of them taken and the others left, or all left. */
  readonly takes: 'all' | 'one' | 'none';
  /** Whether a counted deposit, or a transfer whose payee was shown, is confirmed, or cancelled. */
  readonly confirms: boolean;
}

/** What was done and said, as the customer saw it. */
export interface Visit {
  /** Put into the machine, minor units; those of a bunch whose insertion broke off are in unsureMinor. */
  insertedMinor: number;
  unsureMinor: number;
  /** The last word of the visit: "done" or "sorry", as it was shown; null when the customer heard none. */
  said: Extract<ScreenView, { name: 'done' | 'sorry' }> | null;
  /** Whether the terminal came back to its start, or never began. */
  ended: boolean;
}

/** Longest visit, ms: every wait of the terminal's own ends before. */
const VISIT_MS_MAX = 240_000;
/** A screen that stays the same is answered again after this, ms: an answer may have been lost. */
const AGAIN_MS = 1_500;

/** Screens that want an answer each; a purpose or a problem makes one anew. */
function stageOf({ screen }: View): string {
  if (screen.name === 'pin') return `pin ${screen.purpose} ${screen.problem}`;
  if (screen.name === 'payee') return `payee ${screen.problem}`;
  if (screen.name === 'basket') return `basket ${screen.total.amountMinor}`;
  return screen.name;
}

/**
 * Plays one visit. `onMoment` hears of what happened: the screens by their names, and "inserted", "keyed", "taken" for deeds.
 * Resolves early when the signal ends it, as when the terminal is no more.
 */
export async function visit(
  terminal: Terminal,
  intention: Intention,
  onMoment: (moment: string) => void,
  signal: AbortSignal,
): Promise<Visit> {
  const { screen } = terminal;
  const story: Visit = { insertedMinor: 0, unsureMinor: 0, said: null, ended: false };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(VISIT_MS_MAX)]);
  let begun = false;
  const done = new Set<string>();
  while (!limit.aborted) {
    const view = screen.view ?? (await screen.until(() => true, AGAIN_MS, limit));
    if (!view) continue;
    const stage = stageOf(view);
    if (view.screen.name === 'attract' && begun) return { ...story, ended: true };
    if (view.screen.name !== 'attract') begun = true;
    onMoment(view.screen.name);
    if (view.screen.name === 'done' || view.screen.name === 'sorry') story.said = view.screen;
    await answer(terminal, view, intention, { story, done, onMoment, signal: limit });
    await screen.until((next) => stageOf(next) !== stage, AGAIN_MS, limit);
  }
  return story;
}

interface Doing {
  readonly story: Visit;
  /** Deeds that are done once a visit. */
  readonly done: Set<string>;
  readonly onMoment: (moment: string) => void;
  readonly signal: AbortSignal;
}

async function answer(terminal: Terminal, { screen: shown }: View, intention: Intention, doing: Doing): Promise<void> {
  const { screen } = terminal;
  const { done, onMoment, signal } = doing;
  const does = async (path: string, body: unknown) => (await deed(terminal, path, body, signal)) === 'done';
  switch (shown.name) {
    case 'attract':
      if (intention.service === 'purchase') await scan(terminal, intention.barcodes ?? [], doing);
      else await screen.does({ kind: 'begin' });
      return;
    case 'menu':
      await screen.does({ kind: 'choose-service', service: intention.service });
      return;
    case 'consent':
      await screen.does({ kind: 'answer-consent', version: shown.consent.version, agreed: true });
      return;
    case 'amount':
      // An amount that the machine does not have any more is not asked for twice.
      if (shown.refused || !intention.amountMinor) await screen.does({ kind: 'cancel' });
      else await screen.does({ kind: 'choose-amount', amountMinor: intention.amountMinor as never });
      return;
    case 'pin':
      if (shown.problem !== null) await screen.does({ kind: 'cancel' });
      else if (await does('/api/pin/keys', { keys: KEYS })) onMoment('keyed');
      return;
    case 'insert-cash':
      if (done.has('insert')) await screen.does({ kind: doing.story.insertedMinor > 0 ? 'confirm' : 'cancel' });
      else await insert(terminal, intention.notes ?? [], doing);
      return;
    case 'confirm-deposit':
      await screen.does({ kind: intention.confirms ? 'confirm' : 'cancel' });
      return;
    case 'payee':
      if (shown.problem !== null || !intention.payee) await screen.does({ kind: 'cancel' });
      else await screen.does({ kind: 'enter-payee', accountNumber: intention.payee as never });
      return;
    case 'confirm-transfer':
      await screen.does({ kind: intention.confirms ? 'confirm' : 'cancel' });
      return;
    case 'take-cash':
      if (intention.takes === 'none' || done.has('take')) return;
      done.add('take');
      if (await does('/api/notes/take', intention.takes === 'one' ? { count: 1 } : {})) onMoment('taken');
      return;
    case 'take-returned':
      if (await does('/api/notes/take-returned', {})) onMoment('taken-back');
      return;
    case 'basket':
      if (shown.lines.length === 0) await screen.does({ kind: 'cancel' });
      else if (done.has('scanned')) await screen.does({ kind: 'pay' });
      return;
    case 'receipt':
      await screen.does({ kind: 'choose-receipt', print: false });
      return;
    case 'done':
      await screen.does({ kind: 'confirm' });
      return;
    case 'sorry':
      // A busy machine sees too few frames; whoever is told so looks again, once.
      if (!['poor-quality', 'no-face'].includes(shown.code) || done.has('looked again')) {
        await screen.does({ kind: 'cancel' });
      } else if (await screen.does({ kind: 'retry' })) done.add('looked again');
      return;
    default:
      return; // Nothing to answer: the terminal works, or says that it is out of service.
  }
}

async function scan(terminal: Terminal, barcodes: readonly string[], doing: Doing): Promise<void> {
  for (const data of barcodes) {
    if ((await deed(terminal, '/api/barcode', { symbology: 'jan13', data }, doing.signal)) !== 'done') break;
  }
  // The last scan is on its way while the first is on the screen.
  await sleep(100);
  doing.done.add('scanned');
}

async function insert(terminal: Terminal, notes: readonly NoteBunch[], doing: Doing): Promise<void> {
  const { story, done, onMoment, signal } = doing;
  const bunch = notes.map(({ denominationMinor, count }) => ({ value: denominationMinor, count }));
  const worth = notes.reduce((sum, { denominationMinor, count }) => sum + denominationMinor * count, 0);
  done.add('insert');
  const ended = await deed(terminal, '/api/notes/insert', { notes: bunch }, signal);
  if (ended === 'done') {
    story.insertedMinor += worth;
    onMoment('inserted');
  } else if (ended === 'broken-off') story.unsureMinor += worth;
}

/** Longest wait of hands for a slot that opens or a pad that listens, ms. */
const DEED_MS_MAX = 4_000;

/** Hands do what they can: "impossible" is a slot that stayed closed, "broken-off" a machine that went dark meanwhile. */
export async function deed(
  { machine }: Terminal,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<'done' | 'impossible' | 'broken-off'> {
  for (const until = performance.now() + DEED_MS_MAX; ; await sleep(30)) {
    const answer = await askControl(machine.controlUrl, path, body).catch(() => null);
    if (answer === null) return 'broken-off';
    if (answer.ok) return 'done';
    if (answer.status !== 409)
      throw new Error(`the devices answered ${answer.status} to ${path}: ${await answer.text()}`);
    if (signal.aborted || performance.now() > until) return 'impossible';
  }
}
