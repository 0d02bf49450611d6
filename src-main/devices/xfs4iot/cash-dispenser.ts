/**
 * A cash dispenser over XFS4IoT (2024-3: CashDispenser, CashManagement, Storage, Common): with an intermediate stacker, one output,
 * implicit shutter control. The terminal names the units to pick from (the "app" kind of denomination), so what is on the stacker
 * is what the customer was promised, or the order has failed.
 *
 * Every money command is one of: it certainly did nothing; it certainly did this; ask. Which, is never read off the answer
 * alone: after anything but a plain success the device is looked at (dispense-outcome.ts), and a record written before the order
 * was sent (dispense-record.ts) says whose notes they are.
 */
import type { Clock } from '../../clock.ts';
import type {
  CashDispenser,
  CashUnit,
  DispenseCompletion,
  DispenseError,
  DispenseOrder,
  DispenserStatus,
  PresentCompletion,
  PresentStatus,
  RetractCompletion,
} from '../cash-dispenser.ts';
import type { DeviceHealth } from '../device.ts';
import { isEmpty, NOTHING, noteTotal, one, plus, sameNotes, Tally, tallyOf, toNotes, valueMinor } from '../tally.ts';
import { toMajor } from './amounts.ts';
import { type Reading, XfsCashDriver } from './cash-driver.ts';
import type { CompletionPayload, Status, Xfs4IotService } from './client/index.ts';
import { type DispenseEvidence, type DispenseOutcome, dispenseOutcome, type Path } from './dispense-outcome.ts';
import type { DispenseRecord, DispenseRecords } from './dispense-record.ts';
import { type Failure, MECHANICS_MS_MAX, neverArrived, orAbort, reasonOf, sentenceOf } from './driver.ts';
import type { ServiceLink } from './service-link.ts';
import { movement } from './storage-ledger.ts';

export interface XfsCashDispenserOptions {
  readonly clock: Clock;
  readonly currency: string;
  readonly records: DispenseRecords;
  /** "required": a dispenser that does not enforce tokens is out of service. "as-configured" is for test benches alone. */
  readonly tokens: 'required' | 'as-configured';
}

/** Completion codes that say that the token was refused, and no note moved (XFS4IoT 2024-3, end-to-end security). */
const TOKEN_REFUSED = new Set([
  'authorizationRequired',
  'noCommandNonce',
  'invalidToken',
  'invalidTokenNonce',
  'invalidTokenHMAC',
  'invalidTokenFormat',
  'invalidTokenKeyNoValue',
]);

const DISPENSE_ERRORS: Readonly<Record<string, DispenseError>> = {
  invalidCurrency: 'notDispensable',
  invalidDenomination: 'notDispensable',
  invalidMixNumber: 'notDispensable',
  noCurrencyMix: 'notDispensable',
  notDispensable: 'notDispensable',
  unsupportedPosition: 'notDispensable',
  exchangeActive: 'notDispensable',
  unsupportedCommand: 'notDispensable',
  unsupportedData: 'notDispensable',
  invalidData: 'notDispensable',
  tooManyItems: 'tooManyItems',
  cashUnitError: 'cashUnitError',
  safeDoorOpen: 'safeDoorOpen',
  itemsLeft: 'itemsLeft',
  connectionLost: 'noDevice',
  noAnswer: 'noDevice',
};

const failed = <E extends string>(error: E, message: string) => ({ outcome: 'failed' as const, error, message });

function shutterOf({ cashDispenser }: Reading['status']): DispenserStatus['shutter'] {
  const shutters = (cashDispenser?.positions ?? []).map(({ shutter }) => shutter ?? 'closed');
  if (shutters.some((one) => one.startsWith('jammed'))) return 'jammed';
  return shutters.includes('open') ? 'open' : 'closed';
}

export class XfsCashDispenser extends XfsCashDriver implements CashDispenser {
  protected readonly half = 'dispenser';
  readonly #records: DispenseRecords;
  readonly #tokens: XfsCashDispenserOptions['tokens'];

  constructor(link: ServiceLink, { clock, currency, records, tokens }: XfsCashDispenserOptions) {
    super('cash-dispenser', link, clock, currency);
    this.#records = records;
    this.#tokens = tokens;
  }

  async status(signal: AbortSignal): Promise<DispenserStatus> {
    signal.throwIfAborted();
    const { units, status } = await orAbort(this.read(signal), AbortSignal.any([signal, this.closed]));
    const path = this.#path(status);
    return {
      units,
      stacker: path.stacker === 'reached' ? 'notEmpty' : path.stacker,
      outputPosition: path.output,
      shutter: shutterOf(status),
    };
  }

  commandNonce(signal: AbortSignal): Promise<string | null> {
    return this.inTurn(signal, async (limit) => {
      if (!this.#asksForToken(this.needConnected())) return null;
      const { commandNonce } = await this.ask('Common.GetCommandNonce', null, limit);
      return commandNonce;
    });
  }

  clearCommandNonce(signal: AbortSignal): Promise<void> {
    return this.inTurn(signal, async (limit) => {
      if (this.needConnected().supports('Common.ClearCommandNonce')) {
        await this.ask('Common.ClearCommandNonce', null, limit);
      }
    });
  }

  dispense(order: DispenseOrder, signal: AbortSignal): Promise<DispenseCompletion> {
    return this.inTurn(signal, async (limit) => {
      const malformed = this.#malformed(order);
      if (malformed) return malformed;
      const service = this.connected();
      if (!service) return failed('noDevice', 'the cash dispenser does not answer');
      const wanted = tallyOf(order.mix);
      const { evidence, reading } = await this.#look(null, limit);
      const refusal = this.#refusal(order.transactionId, evidence.path);
      if (refusal) return refusal;
      const max = service.capabilities.cashDispenser?.maxDispenseItems;
      if (max !== undefined && max > 0 && noteTotal(wanted) > max) {
        return failed('tooManyItems', `${noteTotal(wanted)} notes; the stacker holds ${max}`);
      }
      const counts = picksFrom(reading.units, wanted);
      if (typeof counts === 'string') return failed('cashUnitError', counts);

      const before = this.#records.last;
      limit.throwIfAborted();
      // Durable before the first note moves: after a crash the device's notes must have an owner.
      this.#records.set({
        transactionId: order.transactionId,
        mix: wanted,
        tokenId: /HMACSHA256=([0-9A-F]{64})$/.exec(order.token ?? '')?.[1] ?? null,
        acknowledged: false,
        retracts: 0,
        before: { presentState: evidence.presentState, dispensed: evidence.dispensed, ledger: reading.ledger },
        concluded: null,
      });
      const answer = await service.command(
        'CashDispenser.Dispense',
        {
          denomination: {
            denomination: {
              app: { currencies: { [this.currency]: toMajor(order.amount.amountMinor, this.currency) }, counts },
            },
          },
          position: 'outDefault',
          ...(order.token === null ? {} : { token: order.token }),
        },
        { timeoutMs: MECHANICS_MS_MAX, signal: limit },
      );
      if (answer.code !== 'success') return await this.#notDispensed(answer, order, before);
      this.#records.change({ acknowledged: true });
      const given = dispensedOf(answer.payload, reading.units);
      if (given && !sameNotes(given, wanted)) {
        await this.#reject(service);
        return failed('cashUnitError', `the device dispensed ${valueMinor(given)} in other notes than ordered`);
      }
      return { outcome: 'dispensed', notes: toNotes(wanted) };
    });
  }

  present(signal: AbortSignal): Promise<PresentCompletion> {
    return this.inTurn(signal, async (limit) => {
      const service = this.connected();
      if (!service) return failed('noDevice', 'the cash dispenser does not answer');
      const answer = await service.command('CashDispenser.Present', {}, { timeoutMs: MECHANICS_MS_MAX, signal: limit });
      // Whatever it answered but "certainly not": from here on the notes may be in a hand.
      if (answer.code === 'success') {
        this.#records.reached();
        return { outcome: 'presented' };
      }
      const failure = answer as Failure;
      const sentence = sentenceOf(failure);
      switch (reasonOf(failure)) {
        case 'noItems':
          return failed('noItems', sentence);
        case 'shutterNotOpen':
        case 'shutterOpen':
        case 'presentErrorNoItems':
          return failed('shutterNotOpen', sentence);
        case 'notSent':
        case 'tooManyRequests':
        case 'connectionLost':
        case 'noAnswer':
          return failed('noDevice', sentence);
        default:
          return failed('hardwareError', sentence);
      }
    });
  }

  /** Presents the next bunch when one was taken and more wait on the stacker; "taken" when the last one is gone. */
  async itemsTaken(timeoutMs: number, signal: AbortSignal): Promise<'taken' | 'timeout'> {
    signal.throwIfAborted();
    const either = AbortSignal.any([signal, this.closed]);
    const end = this.clock.monotonicMs() + timeoutMs;
    for (;;) {
      const left = Math.max(end - this.clock.monotonicMs(), 0);
      const how = await this.sensed((status) => this.#path(status).output === 'empty', left, either);
      if (how === 'timeout') return 'timeout';
      const service = this.connected();
      if (!service || this.#path(service.status()).stacker !== 'notEmpty') return 'taken';
      if ((await this.present(either)).outcome !== 'presented') return 'timeout';
    }
  }

  retract(signal: AbortSignal): Promise<RetractCompletion> {
    return this.inTurn(signal, async (limit) => {
      await this.back(limit);
      const service = this.connected();
      if (!service) return failed('noDevice', 'the cash dispenser does not answer');
      const before = await this.read(limit);
      const path = this.#path(before.status);
      if (path.output === 'empty' && path.stacker !== 'reached' && path.transport !== 'reached') {
        return { outcome: 'nothingToRetract' };
      }
      this.#records.change({ retracts: (this.#records.last?.retracts ?? 0) + 1 });
      const answer = await service.command(
        'CashManagement.Retract',
        { location: { retractArea: 'retract', index: this.retractIndex(service, 'cashOutRetract') } },
        { timeoutMs: MECHANICS_MS_MAX, signal: limit },
      );
      if (answer.code !== 'success') {
        const failure = answer as Failure;
        if (reasonOf(failure) === 'noItems') return { outcome: 'nothingToRetract' };
        const gone = neverArrived(failure) || failure.code === 'connectionLost' || failure.code === 'noAnswer';
        return failed(gone ? 'noDevice' : 'hardwareError', sentenceOf(failure));
      }
      const after = await this.read(limit);
      const moved = movement(before.ledger, after.ledger);
      // A further bunch that was never shown would lie there for the next customer.
      if (this.#path(after.status).stacker === 'notEmpty') await this.#reject(service);
      return { outcome: 'retracted', notes: toNotes(moved?.retracted ?? NOTHING) };
    });
  }

  reset(signal: AbortSignal): ReturnType<CashDispenser['reset']> {
    return this.inTurn(signal, async (limit) => {
      const no = (message: string) => ({ outcome: 'failed' as const, message });
      await this.back(limit);
      const service = this.connected();
      if (!service) return no('the cash dispenser does not answer');
      const before = await this.read(limit);
      const path = this.#path(before.status);
      if (path.output === 'notEmpty') return no('notes lie in the customer’s reach: retract them first');
      if (this.#isClear(before) && this.health().state === 'online') return { outcome: 'reset', rejected: [] };
      let problem = path.stacker === 'notEmpty' ? await this.#reject(service) : 'nothing to reject';
      let after = await this.read(limit);
      if (problem !== null || !this.#isClear(after)) {
        if (!this.mayReset) return no('the device did not recover by resets: a technician must look');
        problem = await this.#reset(service);
        after = await this.read(limit);
        this.resetEnded(problem === null && this.#isClear(after));
      }
      if (!this.#isClear(after)) return no(problem ?? 'the path is not clear after a reset');
      const moved = movement(before.ledger, after.ledger);
      const kept = moved ? plus(moved.rejectedIn, moved.retracted) : NOTHING;
      return { outcome: 'reset', rejected: toNotes(isEmpty(kept) ? (moved?.rejectedOut ?? NOTHING) : kept) };
    });
  }

  /** Waits its turn here and at the device: while notes move, no answer would be true for long. */
  presentStatus(signal: AbortSignal, responseNonce: string | null = null): Promise<PresentStatus> {
    return this.inTurn(signal, async (limit) => {
      await this.back(limit);
      const record = this.#records.last;
      const { evidence, token } = await this.#look(record, limit, responseNonce);
      if (!record) {
        const { remaining } = dispenseOutcome(NO_MEMORY, evidence);
        return {
          transactionId: null,
          state: 'notPresented',
          presented: [],
          retracted: [],
          rejected: [],
          remaining,
          token,
        };
      }
      const outcome = this.#concluded(record, evidence);
      return {
        transactionId: record.transactionId,
        state: outcome.state,
        presented: toNotes(outcome.presented),
        retracted: toNotes(outcome.retracted),
        rejected: toNotes(outcome.rejected),
        remaining: outcome.remaining,
        token,
      };
    });
  }

  protected override problem(): DeviceHealth | null {
    const service = this.needConnected();
    const { common } = service.status();
    if (this.#tokens === 'required' && common?.endToEndSecurity !== 'enforced') {
      const state = common?.endToEndSecurity ?? 'not supported';
      return {
        state: 'hardwareError',
        problem: `the cash dispenser does not enforce dispense tokens (end-to-end security: ${state}); load its keys`,
      };
    }
    const { intermediateStacker } = service.capabilities.cashDispenser ?? {};
    if (intermediateStacker === false) {
      return { state: 'hardwareError', problem: 'this cash dispenser has no stacker; such devices are not supported' };
    }
    return super.problem();
  }

  #asksForToken(service: Xfs4IotService): boolean {
    const state = service.status().common?.endToEndSecurity;
    return state === 'enforced' || state === 'notConfigured';
  }

  /** What is wrong with the order itself. */
  #malformed(order: DispenseOrder): DispenseCompletion | null {
    if (order.amount.currency !== this.currency)
      return failed('notDispensable', `no unit holds ${order.amount.currency}`);
    const whole = order.mix.every(({ count }) => Number.isSafeInteger(count) && count >= 0);
    const wanted = tallyOf(order.mix);
    const sum = valueMinor(wanted);
    if (!whole || !Tally.safeParse(wanted).success || sum === 0 || sum !== order.amount.amountMinor) {
      return failed('notDispensable', `the mix makes ${sum}, the amount is ${order.amount.amountMinor}`);
    }
    return null;
  }

  #refusal(transactionId: string, path: Path): DispenseCompletion | null {
    if (this.#records.wasPresented(transactionId)) {
      return failed('notDispensable', `transaction ${transactionId} was presented already`);
    }
    const { last } = this.#records;
    if (last?.transactionId === transactionId && last.concluded?.state !== 'notPresented') {
      return failed('notDispensable', `it is not known what became of transaction ${transactionId}`);
    }
    if (path.stacker !== 'empty' || path.output !== 'empty' || path.transport !== 'empty') {
      return failed('itemsLeft', 'notes of an earlier dispense are in the stacker or the output');
    }
    return null;
  }

  /** After a dispense that was not answered with success: what lies on the stacker goes to the reject bin, and the answer says
   *  no more than is known. */
  async #notDispensed(
    failure: Failure,
    order: DispenseOrder,
    before: DispenseRecord | null,
  ): Promise<DispenseCompletion> {
    const sentence = sentenceOf(failure);
    if (neverArrived(failure)) {
      this.#records.set(before);
      return failed('noDevice', sentence);
    }
    const reason = reasonOf(failure);
    const error = DISPENSE_ERRORS[reason] ?? 'hardwareError';
    if (error === 'noDevice') return failed(error, sentence);
    const record = this.#records.last;
    const refused = TOKEN_REFUSED.has(reason) || (reason === 'invalidData' && order.token !== null);
    // The caller's patience may be over; the device still has to be left clear. Its own bounds end this.
    const { evidence } = await this.#look(record, this.closed);
    if (!record) return failed(error, sentence);
    const outcome = this.#concluded(record, evidence);
    const nothingMoved = outcome.state === 'notPresented' && outcome.remaining === 'none' && isEmpty(outcome.rejected);
    if (refused && nothingMoved) {
      // What the device says of the payout before must stay what this driver says.
      this.#records.set(before);
      return failed('notAuthorised', sentence);
    }
    const service = this.connected();
    if (outcome.remaining === 'stacker' && service) await this.#reject(service);
    return failed(error, sentence);
  }

  /** Null when the reject bin has them; else why not. */
  async #reject(service: Xfs4IotService): Promise<string | null> {
    const options = { timeoutMs: MECHANICS_MS_MAX, signal: this.closed };
    const answer = await service.command('CashDispenser.Reject', null, options);
    if (answer.code === 'success' || reasonOf(answer as Failure) === 'noItems') return null;
    return sentenceOf(answer as Failure);
  }

  async #reset(service: Xfs4IotService): Promise<string | null> {
    const options = { timeoutMs: MECHANICS_MS_MAX, signal: this.closed };
    const position = { target: 'retract' as const, index: this.retractIndex(service, 'cashOutRetract') };
    let answer = await service.command('CashManagement.Reset', { position }, options);
    const refusals = [
      'invalidData',
      'unsupportedData',
      'unsupportedPosition',
      'notRetractArea',
      'invalidRetractPosition',
    ];
    if (answer.code !== 'success' && refusals.includes(reasonOf(answer as Failure))) {
      answer = await service.command('CashManagement.Reset', {}, options);
    }
    return answer.code === 'success' ? null : sentenceOf(answer as Failure);
  }

  #isClear({ status }: Reading): boolean {
    const path = this.#path(status);
    const empty = path.stacker === 'empty' && path.output === 'empty' && path.transport === 'empty';
    // A shutter that jammed before a present stands in the way of the next one, too.
    return empty && shutterOf(status) !== 'jammed';
  }

  /** @param since the dispense whose movements are wanted. */
  async #look(
    since: DispenseRecord | null,
    signal: AbortSignal,
    nonce: string | null = null,
  ): Promise<{ evidence: DispenseEvidence; reading: Reading; token: string | null }> {
    // First this question, for it stands behind all earlier commands in the device's queue; then the sensors and the ledger.
    const said = await this.#askPresentStatus(signal, nonce);
    const reading = await this.read(signal);
    const evidence: DispenseEvidence = {
      presentState: said?.presentState ?? 'unknown',
      dispensed: said ? dispensedOf(said, reading.units) : null,
      dispenseId: /(?:^|,)DISPENSEID=([0-9A-F]{64})(?:,|$)/.exec(said?.token ?? '')?.[1] ?? null,
      movement: since ? movement(since.before.ledger, reading.ledger) : null,
      path: this.#path(reading.status),
    };
    return { evidence, reading, token: said?.token ?? null };
  }

  /** Null when the device answered that it cannot say. Rejects when it does not answer. */
  async #askPresentStatus(
    signal: AbortSignal,
    nonce: string | null,
  ): Promise<CompletionPayload<'CashDispenser.GetPresentStatus'> | null> {
    const options = { timeoutMs: MECHANICS_MS_MAX, signal };
    const answer = await this.needConnected().command(
      'CashDispenser.GetPresentStatus',
      nonce === null ? {} : { nonce },
      options,
    );
    if (answer.code === 'success') return answer.payload;
    signal.throwIfAborted();
    const failure = answer as Failure;
    if (neverArrived(failure) || ['connectionLost', 'noAnswer', 'timeOut', 'canceled'].includes(failure.code)) {
      throw this.unavailable(`did not answer CashDispenser.GetPresentStatus: ${failure.code}`);
    }
    return nonce === null ? null : await this.#askPresentStatus(signal, null);
  }

  #concluded(record: DispenseRecord, evidence: DispenseEvidence): DispenseOutcome {
    if (record.concluded) return { ...record.concluded, remaining: 'none' };
    const outcome = dispenseOutcome({ ...record, before: record.before }, evidence);
    if (outcome.state !== 'notPresented') this.#records.reached();
    const { remaining, state, ...notes } = outcome;
    if (state !== 'unknown' && remaining === 'none') this.#records.change({ concluded: { state, ...notes } });
    return outcome;
  }

  #path(status: Status): Path {
    const { intermediateStacker, positions = [] } = status.cashDispenser ?? {};
    // A device without the sensor says nothing about its output: what it presented counts as handed over.
    const blind = this.connected()?.capabilities.cashDispenser?.itemsTakenSensor === false;
    const outputs = positions.map((one) => one.positionStatus ?? (blind ? 'empty' : 'unknown'));
    if (outputs.length === 0 && !blind) outputs.push('unknown');
    const transports = positions.map(({ transportStatus }) => transportStatus ?? 'empty');
    return {
      stacker:
        intermediateStacker === 'empty' || intermediateStacker === 'notEmpty'
          ? intermediateStacker
          : intermediateStacker === 'notEmptyCustomer'
            ? 'reached'
            : 'unknown',
      transport: transports.includes('notEmptyCustomer')
        ? 'reached'
        : transports.includes('notEmpty')
          ? 'notEmpty'
          : transports.includes('unknown')
            ? 'unknown'
            : 'empty',
      output:
        outputs.includes('notEmpty') || outputs.includes('foreignItems')
          ? 'notEmpty'
          : outputs.includes('unknown')
            ? 'unknown'
            : 'empty',
    };
  }
}

const NO_MEMORY = {
  tokenId: null,
  acknowledged: true,
  before: { presentState: 'unknown', dispensed: null },
  retracts: 0,
} as const;

/** Notes per unit for a mix, from the fullest unit of each denomination first; or which notes are missing. */
function picksFrom(units: readonly CashUnit[], wanted: Tally): Record<string, number> | string {
  const counts: Record<string, number> = {};
  for (const { denominationMinor, count } of toNotes(wanted)) {
    let left = count;
    const fitting = units
      .filter(
        (unit) =>
          (unit.kind === 'cashOut' || unit.kind === 'recycle') &&
          unit.denominationMinor === denominationMinor &&
          !['empty', 'inoperative', 'missing'].includes(unit.state),
      )
      .toSorted((a, b) => b.count - a.count);
    for (const unit of fitting) {
      const here = Math.min(left, unit.count);
      if (here > 0) counts[unit.id] = here;
      left -= here;
    }
    if (left > 0) return `${left} notes of ${denominationMinor} are missing`;
  }
  return counts;
}

/** Notes of a denomination result; null when it does not say which units, or names one whose notes are not known. */
function dispensedOf(
  { denomination }: Pick<CompletionPayload<'CashDispenser.GetPresentStatus'>, 'denomination'>,
  units: readonly CashUnit[],
): Tally | null {
  if (!denomination?.values) return null;
  let notes = NOTHING;
  for (const [id, count] of Object.entries(denomination.values)) {
    const unit = units.find((each) => each.id === id);
    if (count === 0) continue;
    if (!unit || unit.denominationMinor === null) return null;
    notes = plus(notes, one(unit.denominationMinor, count));
  }
  return notes;
}
