/**
 * Taking notes while the input is open (XFS4IoT 2024-3, CashAcceptor.CashIn): the command ends with each bunch, with the
 * customer's time, or with a fault, and is given again until somebody stops it. What it counted is asked of the device after each
 * one, so that a bunch whose answer got lost is counted with the next.
 */
import type { Clock } from '../../clock.ts';
import type { CashInEvent } from '../cash-acceptor.ts';
import { NOTHING, sameNotes, type Tally, toNotes } from '../tally.ts';
import type { Xfs4IotService } from './client/index.ts';
import { type Failure, MECHANICS_MS_MAX, reasonOf } from './driver.ts';

/** What the device counted so far in the transaction. */
export interface Intake {
  readonly escrow: Tally;
  /** Null for a device that does not count what it refuses. */
  readonly refusedNotes: number | null;
}

export interface NoteIntakeOptions {
  readonly service: Xfs4IotService;
  readonly clock: Clock;
  readonly listener: (event: CashInEvent) => void;
  /** GetCashInStatus. */
  readonly counts: () => Promise<Intake>;
  /** Resolves when no notes lie in the customer's reach, or when the signal aborts. */
  readonly slotFree: (signal: AbortSignal) => Promise<void>;
}

/** The customer's time for one CashIn, ms; the session's own patience ends the transaction. */
const INSERT_MS = 60_000;
/** Between two commands of which the first brought nothing, ms: a device that answers at once must not be flooded. */
const PAUSE_MS = 200;
/** Commands in a row that bring nothing and did not wait for anybody. */
const EMPTY_MAX = 50;
/** A signal nobody aborts: what follows a motion is waited for, by the client's own bounds. */
const NEVER = new AbortController().signal;
const ESCROW_FULL = new Set(['stackerFull', 'limitOverTotalItems', 'limitOverAmount', 'cashInUnitFull']);

export class NoteIntake {
  readonly #options: NoteIntakeOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #told: { escrow: Tally; refusedNotes: number } = { escrow: NOTHING, refusedNotes: 0 };
  #failure: Failure | null = null;

  constructor(options: NoteIntakeOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** As told last. */
  get escrow(): Tally {
    return this.#told.escrow;
  }

  get refusedNotes(): number {
    return this.#told.refusedNotes;
  }

  /** What broke the counting; null while nothing did. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** Cancels the running command and waits for its end, which may be a whole bunch being counted. */
  async stop(): Promise<void> {
    this.#stop.abort(new DOMException('the input is closed', 'AbortError'));
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, service, slotFree, listener } = this.#options;
    using _inserted = disposable(service.on('CashManagement.ItemsInsertedEvent', () => listener({ kind: 'inserted' })));
    for (let empty = 0; !signal.aborted && empty < EMPTY_MAX; ) {
      await slotFree(signal);
      if (signal.aborted) return;
      const began = clock.monotonicMs();
      const refusals: string[] = [];
      const explicit = service.capabilities.cashAcceptor?.shutterControl === false;
      if (explicit) await this.#letInsert(signal);
      const answer = await service.command('CashAcceptor.CashIn', null, {
        timeoutMs: INSERT_MS,
        // Behind a shutter that we closed, notes may lie that came in the last moment: they are counted, whoever wants to stop.
        signal: explicit ? NEVER : signal,
        onEvent: (event) => {
          if (event.name === 'CashAcceptor.InputRefuseEvent') refusals.push(event.payload.reason ?? 'unknown');
        },
      });
      const progress = await this.#tell(refusals.length);
      if (refusals.length > 0) await this.#offerBack();
      if (refusals.some((reason) => ESCROW_FULL.has(reason))) this.#options.listener({ kind: 'escrowFull' });
      if (answer.code !== 'success' && !this.#goesOn(answer as Failure)) return;
      const waited = clock.monotonicMs() - began >= PAUSE_MS;
      empty = progress || waited ? 0 : empty + 1;
      if (!progress && !waited) await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  }

  #goesOn(failure: Failure): boolean {
    const reason = reasonOf(failure);
    if (['timeOut', 'canceled', 'noItems', 'positionNotEmpty'].includes(reason)) return true;
    if (reason === 'tooManyItems') this.#options.listener({ kind: 'escrowFull' });
    else this.#failure = failure;
    return false;
  }

  /** Answers whether anything changed. */
  async #tell(refusals: number): Promise<boolean> {
    let now: Intake;
    try {
      now = await this.#options.counts();
    } catch {
      // The next command that needs the counts asks again, and says so if the device does not answer.
      return false;
    }
    const refusedNotes = now.refusedNotes ?? this.#told.refusedNotes + refusals;
    const refused = refusedNotes - this.#told.refusedNotes;
    const counted = !sameNotes(now.escrow, this.#told.escrow);
    this.#told = { escrow: now.escrow, refusedNotes };
    if (counted) this.#options.listener({ kind: 'counted', escrow: toNotes(now.escrow) });
    if (refused > 0) this.#options.listener({ kind: 'refused', notes: refused });
    return counted || refused > 0;
  }

  /** A device whose shutter we move (shutterControl false) takes notes first, until they are in or nobody wants to wait any longer. */
  async #letInsert(signal: AbortSignal): Promise<void> {
    const { service, clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const options = { timeoutMs: MECHANICS_MS_MAX, signal: NEVER };
    const slot = { position: 'inDefault' as const };
    using _inserted = disposable(service.on('CashManagement.ItemsInsertedEvent', () => resolve()));
    using _timer = disposable(clock.after(INSERT_MS, () => resolve()));
    const stop = () => resolve();
    signal.addEventListener('abort', stop, { once: true });
    await service.command('CashManagement.OpenShutter', slot, options);
    await promise;
    signal.removeEventListener('abort', stop);
    await service.command('CashManagement.CloseShutter', slot, options);
  }

  /** A device without presentControl keeps refused notes behind the shutter until it is told to show them. */
  async #offerBack(): Promise<void> {
    await presentReturned(this.#options.service, NEVER);
  }
}

const disposable = (stop: () => void): Disposable => ({ [Symbol.dispose]: stop });

/** Shows returned notes where the device does not do it by itself. */
export async function presentReturned(service: Xfs4IotService, signal: AbortSignal): Promise<void> {
  const positions = service.capabilities.cashAcceptor?.positions ?? [];
  if (!positions.some(({ presentControl }) => presentControl === false)) return;
  await service.command('CashAcceptor.PresentMedia', {}, { timeoutMs: MECHANICS_MS_MAX, signal });
}
