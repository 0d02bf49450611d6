/**
 * What the terminal told the dispenser last, on disk before it was told. The device does not know our transactions and forgets a
 * dispense at the next one; with this record and a look at the device, "which transaction was that, and what became of it?"
 * has an answer after any crash of either.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { StateFile } from '../state-file.ts';
import { Tally } from '../tally.ts';
import { StorageLedger } from './storage-ledger.ts';

const Conclusion = z.strictObject({
  state: z.enum(['notPresented', 'presented']),
  presented: Tally,
  retracted: Tally,
  rejected: Tally,
});

export const DispenseRecord = z.strictObject({
  transactionId: z.string().min(1),
  mix: Tally,
  /** HMAC of the dispense token, by which the device names its last dispense; null for a device that asks for no token. */
  tokenId: z.string().nullable(),
  /** The device completed the dispense and said that notes moved. */
  acknowledged: z.boolean(),
  /** Retracts told to the device since. */
  retracts: z.int().nonnegative(),
  /** What the device said just before. */
  before: z.strictObject({
    presentState: z.enum(['notPresented', 'presented', 'unknown']),
    dispensed: Tally.nullable(),
    ledger: StorageLedger,
  }),
  /** Set once nothing more can happen to its notes; from then on neither a refill nor another customer's notes disturb it. */
  concluded: Conclusion.nullable(),
});
export type DispenseRecord = z.infer<typeof DispenseRecord>;

const File = z.strictObject({
  version: z.literal(1),
  last: DispenseRecord.nullable(),
  /** Transactions whose notes were in a customer's reach: never dispensed again. Newest last. */
  presented: z.array(z.string()).max(200),
});
const PRESENTED_KEPT_MAX = 200;

export class DispenseRecords {
  readonly #file: StateFile<z.infer<typeof File>>;

  /** Throws DEVICE_FAILED naming file and field for a file that does not parse: it may be the only witness of a payout. */
  constructor(stateDir: string) {
    this.#file = StateFile.open(join(stateDir, 'xfs4iot-dispense.json'), File, () => ({
      version: 1 as const,
      last: null,
      presented: [],
    }));
  }

  get last(): DispenseRecord | null {
    return this.#file.value.last;
  }

  wasPresented(transactionId: string): boolean {
    return this.#file.value.presented.includes(transactionId);
  }

  /** Durable when this returns. */
  set(last: DispenseRecord | null): void {
    this.#file.set({ ...this.#file.value, last });
  }

  change(change: Partial<Omit<DispenseRecord, 'transactionId'>>): void {
    if (this.last) this.set({ ...this.last, ...change });
  }

  /** Notes of the last dispense are, or were, in a customer's reach. */
  reached(): void {
    const { last, presented } = this.#file.value;
    if (!last || presented.includes(last.transactionId)) return;
    this.#file.set({
      ...this.#file.value,
      presented: [...presented, last.transactionId].slice(-PRESENTED_KEPT_MAX),
    });
  }
}
