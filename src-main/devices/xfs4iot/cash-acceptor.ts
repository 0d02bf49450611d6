/**
 * A cash acceptor over XFS4IoT (2024-3: CashAcceptor, CashManagement, Storage) with an escrow. Notes in escrow are the customer's
 * until CashInEnd; which notes the bank then has is read off the units, never off what was announced.
 */
import type { Clock } from '../../clock.ts';
import type { AcceptorStatus, CashAcceptor, CashAcceptorFailure, CashInEvent, CashInStatus } from '../cash-acceptor.ts';
import { type CashRoom, roomIn } from '../cash-room.ts';
import type { DeviceHealth } from '../device.ts';
import { isEmpty, NOTHING, noteTotal, plus, type Tally, toNotes } from '../tally.ts';
import { type Reading, XfsCashDriver } from './cash-driver.ts';
import { type CashInEvidence, type CashInOutcome, cashInOutcome } from './cash-in-outcome.ts';
import type { CashInRecord, CashInRecords } from './cash-in-record.ts';
import { OUTPUT_POSITIONS, type Status } from './client/index.ts';
import { type Failure, MECHANICS_MS_MAX, neverArrived, orAbort, reasonOf, sentenceOf } from './driver.ts';
import { NoteIntake, presentReturned } from './note-intake.ts';
import { counted } from './note-types.ts';
import type { ServiceLink } from './service-link.ts';
import { above, movement } from './storage-ledger.ts';

export interface XfsCashAcceptorOptions {
  readonly clock: Clock;
  readonly currency: string;
  readonly records: CashInRecords;
}

/** How long notes in the slot keep an end or a rollback waiting, ms: some devices end the transaction with an error instead
 *  (positionNotEmpty), with the escrow still full. Below the session's patience for one command. */
const SLOT_MS_MAX = 30_000;

const failed = (error: CashAcceptorFailure['error'], message: string): CashAcceptorFailure => ({
  outcome: 'failed',
  error,
  message,
});
const GONE = failed('noDevice', 'the cash acceptor does not answer');
const NOT_ACTIVE = failed('sequenceError', 'no cash-in transaction is active');

interface Look {
  readonly evidence: CashInEvidence;
  readonly reading: Reading;
  readonly refusedNotes: number | null;
}

export class XfsCashAcceptor extends XfsCashDriver implements CashAcceptor {
  protected readonly half = 'acceptor';
  readonly #records: CashInRecords;
  #intake: NoteIntake | null = null;

  constructor(link: ServiceLink, { clock, currency, records }: XfsCashAcceptorOptions) {
    super('cash-acceptor', link, clock, currency);
    this.#records = records;
  }

  async status(signal: AbortSignal): Promise<AcceptorStatus> {
    signal.throwIfAborted();
    const either = AbortSignal.any([signal, this.closed]);
    const { units, status } = await orAbort(this.read(either), either);
    return {
      units: units.filter(({ kind }) => kind === 'recycle' || kind === 'cashIn' || kind === 'retract'),
      escrow: await orAbort(this.#escrow(status, either), either),
      inputPosition: this.#slotHolds(status) ? 'notEmpty' : 'empty',
    };
  }

  room(): CashRoom | null {
    const units = this.unitsNow();
    return units && roomIn(units, this.connected()?.capabilities.cashAcceptor?.intermediateStacker ?? null);
  }

  cashInStart(
    transactionId: string,
    listener: (event: CashInEvent) => void,
    signal: AbortSignal,
    notesMax: number | null = null,
  ): ReturnType<CashAcceptor['cashInStart']> {
    return this.inTurn(signal, async (limit) => {
      const service = this.connected();
      if (!service) return GONE;
      const record = this.#records.last;
      if (record?.transactionId === transactionId) {
        return failed('sequenceError', `the cash-in transaction ${transactionId} was started before`);
      }
      if (this.#intake) return failed('sequenceError', 'a cash-in transaction is active');
      const { evidence, reading } = await this.#look(record, limit);
      if (record) this.#concluded(record, evidence);
      if (evidence.status === 'active') return failed('sequenceError', 'a cash-in transaction is active');
      if (evidence.inside !== 'empty') {
        return failed('sequenceError', 'notes of an earlier transaction are inside: reset first');
      }
      if (this.#slotHolds(reading.status)) {
        return failed('sequenceError', 'returned notes lie in the input: they must be taken first');
      }
      limit.throwIfAborted();
      this.#records.set({
        transactionId,
        phase: 'starting',
        succeeded: false,
        before: { status: evidence.status, identified: evidence.identified, ledger: reading.ledger },
        concluded: null,
      });
      const options = { timeoutMs: MECHANICS_MS_MAX, signal: limit };
      const limited = notesMax !== null && service.capabilities.cashAcceptor?.cashInLimit?.byTotalItems === true;
      const order = { useRecycleUnits: true, ...(limited ? { totalItemsLimit: notesMax } : {}) };
      const answer = await service.command('CashAcceptor.CashInStart', order, options);
      if (answer.code !== 'success') {
        const failure = answer as Failure;
        // It certainly did not start: the transaction before is still the last one.
        if (neverArrived(failure) || failure.code === 'commandErrorCode') this.#records.set(record);
        return this.#failed(failure);
      }
      this.#records.change({ phase: 'active', succeeded: true });
      this.#intake = new NoteIntake({
        service,
        clock: this.clock,
        listener,
        counts: async () => {
          const now = await this.#look(this.#records.last, this.closed);
          return { escrow: now.evidence.identified, refusedNotes: now.refusedNotes };
        },
        slotFree: (until) => this.#slotFree(Number.MAX_SAFE_INTEGER, until),
      });
      return { outcome: 'started' };
    });
  }

  cashInStop(signal: AbortSignal): ReturnType<CashAcceptor['cashInStop']> {
    return this.inTurn(signal, async () => {
      await this.back(this.closed);
      if (!this.connected()) return GONE;
      const intake = await this.#stopIntake();
      const { evidence, refusedNotes } = await this.#look(this.#records.last, this.closed);
      if (evidence.status !== 'active') return NOT_ACTIVE;
      if (intake?.failure) return this.#failed(intake.failure);
      return {
        outcome: 'counted',
        escrow: toNotes(evidence.identified),
        refusedNotes: refusedNotes ?? intake?.refusedNotes ?? 0,
      };
    });
  }

  cashInEnd(signal: AbortSignal): ReturnType<CashAcceptor['cashInEnd']> {
    return this.inTurn(signal, async (limit) => {
      const ended = await this.#end('ending', 'CashAcceptor.CashInEnd', limit);
      if ('outcome' in ended) return ended;
      if (ended.state === 'ok') return { outcome: 'stored', notes: toNotes(ended.notes) };
      return failed('jammed', `the units did not get all notes of the escrow (${ended.state})`);
    });
  }

  cashInRollback(signal: AbortSignal): ReturnType<CashAcceptor['cashInRollback']> {
    return this.inTurn(signal, async (limit) => {
      const ended = await this.#end('returning', 'CashAcceptor.CashInRollback', limit);
      if ('outcome' in ended) return ended;
      if (ended.state === 'rollback') return { outcome: 'returned', notes: toNotes(ended.notes) };
      // Nothing was in escrow: some devices end such a transaction as "ok".
      if (isEmpty(ended.notes) && ended.state === 'ok') return { outcome: 'returned', notes: [] };
      return failed('jammed', `not all notes of the escrow came back (${ended.state})`);
    });
  }

  async returnedTaken(timeoutMs: number, signal: AbortSignal): Promise<'taken' | 'timeout'> {
    const how = await this.sensed(
      (status) => !this.#slotHolds(status),
      timeoutMs,
      AbortSignal.any([signal, this.closed]),
    );
    return how === 'sensed' ? 'taken' : 'timeout';
  }

  retract(signal: AbortSignal): ReturnType<CashAcceptor['retract']> {
    return this.inTurn(signal, async (limit) => {
      await this.back(limit);
      const service = this.connected();
      if (!service) return GONE;
      if (this.#intake) return failed('sequenceError', 'a cash-in transaction is active');
      const before = await this.read(limit);
      if (!this.#slotHolds(before.status)) return { outcome: 'nothingToRetract' };
      // By its name, so that a recycler takes nothing of its output with it.
      const returning = this.#returning();
      const slot = OUTPUT_POSITIONS.find((position) => returning.has(position));
      const location = slot
        ? { outputPosition: slot }
        : { retractArea: 'retract' as const, index: this.retractIndex(service, 'cashInRetract') };
      const answer = await service.command(
        'CashManagement.Retract',
        { location },
        { timeoutMs: MECHANICS_MS_MAX, signal: limit },
      );
      if (answer.code !== 'success') {
        if (reasonOf(answer as Failure) === 'noItems') return { outcome: 'nothingToRetract' };
        return this.#failed(answer as Failure);
      }
      const moved = movement(before.ledger, (await this.read(limit)).ledger);
      return { outcome: 'retracted', notes: toNotes(moved?.retracted ?? NOTHING) };
    });
  }

  reset(signal: AbortSignal): ReturnType<CashAcceptor['reset']> {
    return this.inTurn(signal, async (limit) => {
      await this.back(limit);
      const service = this.connected();
      if (!service) return GONE;
      await this.#stopIntake();
      if (!this.mayReset)
        return failed('hardwareError', 'the device did not recover by resets: a technician must look');
      const before = await this.read(limit);
      if (!this.#records.last?.concluded) this.#records.change({ phase: 'resetting', succeeded: false });
      const options = { timeoutMs: MECHANICS_MS_MAX, signal: this.closed };
      const position = { target: 'retract' as const, index: this.retractIndex(service, 'cashInRetract') };
      let answer = await service.command('CashManagement.Reset', { position }, options);
      if (
        answer.code !== 'success' &&
        ['invalidData', 'unsupportedData', 'unsupportedPosition'].includes(answer.code)
      ) {
        answer = await service.command('CashManagement.Reset', {}, options);
      }
      if (answer.code !== 'success') {
        this.resetEnded(false);
        return this.#failed(answer as Failure);
      }
      const { evidence, reading } = await this.#look(this.#records.last, this.closed);
      if (this.#records.last) this.#concluded(this.#records.last, evidence);
      this.resetEnded(evidence.inside === 'empty');
      const moved = movement(before.ledger, reading.ledger);
      return { outcome: 'reset', retracted: toNotes(moved ? plus(moved.retracted, moved.rejectedIn) : NOTHING) };
    });
  }

  cashInStatus(signal: AbortSignal): Promise<CashInStatus> {
    return this.inTurn(signal, async (limit) => {
      const record = this.#records.last;
      // While CashIn runs, a question would stand behind it in the device's queue until the customer is done.
      if (this.#intake && !this.#intake.failure && record) {
        return { transactionId: record.transactionId, state: 'active', notes: toNotes(this.#intake.escrow) };
      }
      await this.back(limit);
      const { evidence } = await this.#look(record, limit);
      if (!record) return { transactionId: null, state: 'none', notes: [] };
      const { state, notes } = this.#concluded(record, evidence);
      return {
        transactionId: record.transactionId,
        state,
        notes: toNotes(notes),
        ...(state === 'rollback' ? retractedSince(evidence) : {}),
      };
    });
  }

  override async close(): Promise<void> {
    const stopped = this.#stopIntake();
    await super.close();
    await stopped;
  }

  protected override problem(): DeviceHealth | null {
    const service = this.needConnected();
    const { capabilities } = service;
    if (capabilities.cashAcceptor && !capabilities.cashAcceptor.intermediateStacker) {
      return { state: 'hardwareError', problem: 'this cash acceptor has no escrow; such devices are not supported' };
    }
    const acceptor = service.status().cashAcceptor;
    if (acceptor?.banknoteReader === 'inoperable') {
      return { state: 'hardwareError', problem: 'the banknote reader of the cash acceptor does not work' };
    }
    return super.problem();
  }

  /** CashInEnd or CashInRollback: whatever is answered, the transaction is over at the device. */
  async #end(
    phase: 'ending' | 'returning',
    command: 'CashAcceptor.CashInEnd' | 'CashAcceptor.CashInRollback',
    limit: AbortSignal,
  ): Promise<CashInOutcome | CashAcceptorFailure> {
    await this.back(limit);
    const service = this.connected();
    if (!service) return GONE;
    await this.#stopIntake();
    const { evidence } = await this.#look(this.#records.last, limit);
    if (evidence.status !== 'active') return NOT_ACTIVE;
    await this.#slotFree(SLOT_MS_MAX, limit);
    limit.throwIfAborted();
    this.#records.change({ phase, succeeded: false });
    const answer = await service.command(command, null, { timeoutMs: MECHANICS_MS_MAX, signal: limit });
    const empty = answer.code !== 'success' && reasonOf(answer as Failure) === 'noItems';
    if (answer.code !== 'success' && !empty) return this.#failed(answer as Failure);
    this.#records.change({ succeeded: true });
    if (phase === 'returning') await presentReturned(service, this.closed);
    const record = this.#records.last;
    const after = await this.#look(record, this.closed);
    return record ? this.#concluded(record, after.evidence) : { state: 'unknown', notes: NOTHING };
  }

  async #stopIntake(): Promise<NoteIntake | null> {
    const intake = this.#intake;
    await intake?.stop();
    if (this.#intake === intake) this.#intake = null;
    return intake;
  }

  /** @param since the transaction whose movements are wanted. */
  async #look(since: CashInRecord | null, signal: AbortSignal): Promise<Look> {
    // First this question, for it stands behind all earlier commands in the device's queue.
    const said = await this.ask('CashAcceptor.GetCashInStatus', null, signal, MECHANICS_MS_MAX);
    const reading = await this.read(signal);
    return {
      evidence: {
        status: said.status ?? 'unknown',
        identified: counted(said.noteNumberList, reading.types, 'genuine').notes,
        movement: since ? movement(since.before.ledger, reading.ledger) : null,
        inside: this.#inside(reading.status),
      },
      reading,
      refusedNotes: said.numOfRefused ?? null,
    };
  }

  #concluded(record: CashInRecord, evidence: CashInEvidence): CashInOutcome {
    if (record.concluded) return record.concluded;
    const { state, notes } = cashInOutcome(record, evidence);
    if (state !== 'active' && state !== 'unknown') this.#records.change({ concluded: { state, notes } });
    return { state, notes };
  }

  async #escrow(status: Status, signal: AbortSignal) {
    if (this.#intake) return toNotes(this.#intake.escrow);
    if (this.#inside(status) === 'empty') return [];
    const { evidence } = await this.#look(this.#records.last, signal);
    if (evidence.inside === 'empty') return [];
    const left: Tally = above(evidence.movement?.deposited ?? NOTHING, evidence.identified);
    return noteTotal(left) > 0 ? toNotes(left) : [];
  }

  async #slotFree(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.closed]);
    if (either.aborted) return;
    const most = Math.min(timeoutMs, 2 ** 31 - 1);
    await this.sensed((status) => !this.#slotHolds(status), most, either).catch(() => undefined);
  }

  /** Positions at which a customer gets notes back; empty for a device that does not name them. */
  #returning() {
    return new Set(
      (this.connected()?.capabilities.cashAcceptor?.positions ?? [])
        .filter(({ usage }) => usage?.refuse === true || usage?.rollback === true)
        .map(({ position }) => position),
    );
  }

  /** Notes where a customer could take them: refused ones, or those given back. */
  #slotHolds(status: Status): boolean {
    const returning = this.#returning();
    return (status.cashAcceptor?.positions ?? []).some(
      ({ position, positionStatus }) =>
        (returning.size === 0 || returning.has(position)) && positionStatus !== undefined && positionStatus !== 'empty',
    );
  }

  /** Whether anything of a transaction is between the customer and the units: in escrow, in transport, or lying uncounted in a slot
   *  that only takes notes in. */
  #inside({ cashAcceptor }: Status): CashInEvidence['inside'] {
    const stacker = cashAcceptor?.intermediateStacker;
    const positions = cashAcceptor?.positions ?? [];
    const takesOnly = new Set(
      (this.connected()?.capabilities.cashAcceptor?.positions ?? [])
        .filter(({ usage }) => usage?.in === true && usage.refuse !== true && usage.rollback !== true)
        .map(({ position }) => position),
    );
    const slots = positions
      .filter(({ position }) => takesOnly.has(position))
      .map((one) => one.positionStatus ?? 'empty');
    const path = [...slots, ...positions.map(({ transportStatus }) => transportStatus ?? 'empty')];
    if (stacker === 'notEmpty' || stacker === 'full') return 'notEmpty';
    if (path.some((one) => one !== 'empty' && one !== 'unknown')) return 'notEmpty';
    return stacker === 'empty' && !path.includes('unknown') ? 'empty' : 'unknown';
  }

  #failed(failure: Failure): CashAcceptorFailure {
    const sentence = sentenceOf(failure);
    switch (reasonOf(failure)) {
      case 'connectionLost':
      case 'noAnswer':
      case 'notSent':
      case 'tooManyRequests':
        return failed('noDevice', sentence);
      case 'noCashInActive':
      case 'cashInActive':
      case 'sequenceError':
      case 'exchangeActive':
      case 'positionNotEmpty':
        return failed('sequenceError', sentence);
      case 'tooManyItems':
        return failed('escrowFull', sentence);
      case 'cashUnitError':
      case 'notEnoughSpace':
        return failed('cashUnitError', sentence);
      default:
        return failed('hardwareError', sentence);
    }
  }
}

/** What was retracted since the transaction began; null for what is in the bin uncounted, or cannot be compared. */
function retractedSince({ movement: moved }: CashInEvidence): Pick<CashInStatus, 'retracted'> {
  if (moved && moved.retractOperations === 0) return {};
  return { retracted: moved && !isEmpty(moved.retracted) ? toNotes(moved.retracted) : null };
}
