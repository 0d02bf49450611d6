/** What drivers of cash devices share: what note ids mean, the storage ledger, health of the units. */
import type { Clock } from '../../clock.ts';
import type { CashUnit } from '../cash-dispenser.ts';
import type { DeviceHealth } from '../device.ts';
import { cashUnits } from './cash-units.ts';
import type { Status, Xfs4IotService } from './client/index.ts';
import { orAbort, XfsDriver } from './driver.ts';
import { type NoteTypes, noteTypesOf } from './note-types.ts';
import type { ServiceLink } from './service-link.ts';
import { ledgerOf, type StorageLedger } from './storage-ledger.ts';

/** Automatic resets in a row that may fail before a person has to come (XFS4IoT, sequence "reset"). */
const RESETS_MAX = 3;

/** One reading of everything the device can be asked without moving. */
export interface Reading {
  readonly types: NoteTypes;
  readonly units: readonly CashUnit[];
  readonly ledger: StorageLedger;
  readonly status: Status;
}

export abstract class XfsCashDriver extends XfsDriver {
  protected readonly currency: string;
  #types: NoteTypes | null = null;
  #resetsFailed = 0;

  constructor(name: string, link: ServiceLink, clock: Clock, currency: string) {
    super(name, link, clock);
    this.currency = currency;
    link.onChange(() => {
      // What came back may be another machine, or this one with other units.
      if (this.connected() === null) this.#types = null;
    });
  }

  /** For what a technician does with the units. Throws DEVICE_UNAVAILABLE while the device is not there. */
  service(): Xfs4IotService {
    return this.needConnected();
  }

  /** The units by what the device said last, without asking; null before anything was read of it. */
  protected unitsNow(): readonly CashUnit[] | null {
    const service = this.connected();
    return service && this.#types && cashUnits(service.storage().units, this.#types, this.currency);
  }

  /** Status and storage, read anew. Rejects with DEVICE_UNAVAILABLE while the device is not there. */
  protected async read(signal: AbortSignal): Promise<Reading> {
    const service = this.needConnected();
    const types = await this.#noteTypes(signal);
    try {
      await service.refresh(signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw this.unavailable(`did not say its status: ${(cause as Error).message}`);
    }
    const storage = service.storage().units;
    return {
      types,
      units: cashUnits(storage, types, this.currency),
      ledger: ledgerOf(storage, types),
      status: service.status(),
    };
  }

  /**
   * Waits until the sensors say so. The mirror is read anew first, for it may be behind the completion that begins the wait, and
   * again whenever the device says that items were taken: the event only says that it is worth looking.
   */
  protected async sensed(
    holds: (status: Status) => boolean,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<'sensed' | 'timeout'> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<'sensed' | 'timeout'>();
    const look = () => {
      const status = this.connected()?.status();
      if (status?.fresh && holds(status)) resolve('sensed');
    };
    const lookAgain = () => {
      this.read(signal).then(look, () => undefined);
    };
    const stops = [
      this.link.onChange(look),
      this.connected()?.on('CashManagement.ItemsTakenEvent', lookAgain) ?? (() => undefined),
      this.clock.after(timeoutMs, () => resolve('timeout')),
    ];
    try {
      lookAgain();
      return await orAbort(promise, signal);
    } finally {
      for (const stop of stops) stop();
    }
  }

  protected abstract readonly half: 'dispenser' | 'acceptor';

  protected override problem(): DeviceHealth | null {
    const { common, cashManagement } = this.needConnected().status();
    if (common?.exchange === 'active') {
      return { state: 'userError', problem: `${this.name}: the storage units are being exchanged` };
    }
    if (this.#resetsFailed >= RESETS_MAX) {
      return { state: 'hardwareError', problem: `${this.name} did not recover by ${RESETS_MAX} resets` };
    }
    switch (cashManagement?.[this.half]) {
      case 'stop':
        return {
          state: 'hardwareError',
          problem: `${this.name}: no storage unit works, or the bin for rejected and retracted notes is full or missing`,
        };
      case 'attention':
        return { state: 'online', problem: `${this.name}: a storage unit is low, empty, full or inoperative` };
      default:
        return null;
    }
  }

  /** Whether another reset may be tried without a person; call `resetEnded` with what came of it. */
  protected get mayReset(): boolean {
    return this.#resetsFailed < RESETS_MAX;
  }

  protected resetEnded(well: boolean): void {
    this.#resetsFailed = well ? 0 : this.#resetsFailed + 1;
    this.healthMayHaveChanged();
  }

  /** The first retract position that has room, as CashManagement numbers them: over the areas of all retract units in order. */
  protected retractIndex(service: Xfs4IotService, use: 'cashOutRetract' | 'cashInRetract'): number {
    let index = 1;
    for (const unit of Object.values(service.storage().units)) {
      const types = unit.cash?.configuration?.types ?? unit.cash?.capabilities?.types;
      if (types?.[use] !== true) continue;
      const works = unit.status === undefined || unit.status === 'ok';
      if (works && unit.cash?.status?.replenishmentStatus !== 'full') return index;
      index += unit.cash?.capabilities?.retractAreas ?? 1;
    }
    return 1;
  }

  async #noteTypes(signal: AbortSignal): Promise<NoteTypes> {
    if (this.#types) return this.#types;
    const { items } = await this.ask('CashManagement.GetBankNoteTypes', null, signal);
    this.#types = noteTypesOf(items ?? {}, this.currency);
    return this.#types;
  }
}
