/** What the terminal told the acceptor last, on disk before it was told: the device does not know our transactions. */
import { join } from 'node:path';
import { z } from 'zod';
import { StateFile } from '../state-file.ts';
import { Tally } from '../tally.ts';
import { StorageLedger } from './storage-ledger.ts';

const CashInRecord = z.strictObject({
  transactionId: z.string().min(1),
  phase: z.enum(['starting', 'active', 'ending', 'returning', 'resetting']),
  /** The device answered the command of this phase with success. */
  succeeded: z.boolean(),
  /** What the device said just before CashInStart. */
  before: z.strictObject({
    status: z.enum(['active', 'ok', 'rollback', 'retract', 'reset', 'unknown']),
    identified: Tally,
    ledger: StorageLedger,
  }),
  /** Set once nothing more can happen to its notes. */
  concluded: z.strictObject({ state: z.enum(['none', 'ok', 'rollback', 'retract']), notes: Tally }).nullable(),
});
export type CashInRecord = z.infer<typeof CashInRecord>;

const File = z.strictObject({ version: z.literal(1), last: CashInRecord.nullable() });

export class CashInRecords {
  readonly #file: StateFile<z.infer<typeof File>>;

  /** Throws DEVICE_FAILED naming file and field for a file that does not parse. */
  constructor(stateDir: string) {
    this.#file = StateFile.open(join(stateDir, 'xfs4iot-cash-in.json'), File, () => ({
      version: 1 as const,
      last: null,
    }));
  }

  get last(): CashInRecord | null {
    return this.#file.value.last;
  }

  /** Durable when this returns. */
  set(last: CashInRecord | null): void {
    this.#file.set({ version: 1, last });
  }

  change(change: Partial<Omit<CashInRecord, 'transactionId'>>): void {
    if (this.last) this.set({ ...this.last, ...change });
  }
}
