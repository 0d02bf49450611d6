/**
 * What can be made to go wrong, per device. A fault armed "once" acts at the next place it applies to and is gone; one
 * armed "untilCleared" acts every time. Faults are not kept over a restart; what they did to the notes is.
 *
 * | device   | fault             | what happens |
 * |----------|-------------------|--------------|
 * | any      | gone              | commands answer noDevice (or reject with DEVICE_UNAVAILABLE), health is offline, until cleared |
 * | any      | slow              | ten times the time |
 * | any      | answer-lost       | the command is carried out, its completion never comes: only the signal ends the wait |
 * | cash     | cassette-empty    | the unit (or all) senses empty; nothing is picked: cashUnitError |
 * | dispenser| short             | a unit stops half way; what was picked goes to the reject bin: cashUnitError |
 * | dispenser| jam-on-dispense   | half is picked; of it some is rejected, the rest sticks in the stacker: jammed until reset |
 * | dispenser| jam-on-present    | the shutter does not open; the notes stay in the stacker: shutterNotOpen |
 * | dispenser| shutter-jam       | the shutter does not move, out or in: jammed until reset |
 * | dispenser| present-unknown   | the notes come within reach but the sensors fail: hardwareError, presentStatus unknown |
 * | acceptor | jam-on-count      | the feeder stops after half a bunch; a rollback or a reset clears it |
 * | acceptor | jam-on-store      | half of the escrow reaches the units, the rest stays: jammed until reset |
 * | acceptor | jam-on-return     | half of the escrow reaches the customer, the rest stays: jammed until reset |
 * | acceptor | escrow-full       | the escrow takes no more; the rest of the bunch is given back |
 * | acceptor | refuse-notes      | no note is recognised |
 * | acceptor | tray-blocked      | the input does not open: hardwareError |
 * | printer  | paper-out, paper-jam | paperOut, paperJammed |
 */
import { z } from 'zod';

const COMMON = ['gone', 'slow', 'answer-lost'] as const;
export const FAULTS = {
  'cash-dispenser': [
    ...COMMON,
    'cassette-empty',
    'short',
    'jam-on-dispense',
    'jam-on-present',
    'shutter-jam',
    'present-unknown',
  ],
  'cash-acceptor': [
    ...COMMON,
    'jam-on-count',
    'jam-on-store',
    'jam-on-return',
    'escrow-full',
    'refuse-notes',
    'tray-blocked',
  ],
  'pin-pad': ['gone', 'slow', 'answer-lost'],
  'receipt-printer': [...COMMON, 'paper-out', 'paper-jam'],
  'barcode-scanner': ['gone'],
  lights: ['gone'],
} as const satisfies Record<string, readonly string[]>;

export type FaultDevice = keyof typeof FAULTS;
export type FaultName = (typeof FAULTS)[FaultDevice][number];

export const FaultOrder = z
  .strictObject({
    device: z.enum(Object.keys(FAULTS) as [FaultDevice, ...FaultDevice[]]),
    fault: z.string(),
    /** "gone" stays until cleared whatever is asked: a device does not come back by being asked once. */
    mode: z.enum(['once', 'untilCleared']).default('once'),
    /** Unit id, for cassette-empty; null means every unit. */
    unit: z.string().nullable().default(null),
    /** Only this command of the port, e.g. "present"; null means whichever comes first. */
    command: z.string().nullable().default(null),
  })
  .superRefine((order, context) => {
    const known: readonly string[] = FAULTS[order.device] ?? [];
    if (!known.includes(order.fault)) {
      context.addIssue({
        code: 'custom',
        path: ['fault'],
        message: `no fault of ${order.device}, which has ${known.join(', ')}`,
      });
    }
  });
export type FaultOrder = z.infer<typeof FaultOrder>;

export class Faults {
  readonly #armed: FaultOrder[] = [];
  readonly #listeners = new Set<() => void>();

  arm(order: z.input<typeof FaultOrder>): void {
    this.#armed.push(FaultOrder.parse(order));
    this.#changed();
  }

  /** Clears one fault, all of a device, or all. */
  clear(device?: FaultDevice, fault?: string): void {
    const stays = this.#armed.filter(
      (order) => (device && order.device !== device) || (fault && order.fault !== fault),
    );
    this.#armed.splice(0, this.#armed.length, ...stays);
    this.#changed();
  }

  armed(): readonly FaultOrder[] {
    return [...this.#armed];
  }

  /** Whether the fault acts now, leaving it armed. */
  stands(device: FaultDevice, fault: FaultName, command?: string): FaultOrder | undefined {
    return this.#armed.find(
      (order) =>
        order.device === device &&
        order.fault === fault &&
        (order.command === null || command === undefined || order.command === command),
    );
  }

  /** Whether the fault acts now; one armed once is used up by it. */
  strikes(device: FaultDevice, fault: FaultName, command?: string): boolean {
    const order = this.stands(device, fault, command);
    if (order?.mode === 'once' && fault !== 'gone') {
      this.#armed.splice(this.#armed.indexOf(order), 1);
      this.#changed();
    }
    return order !== undefined;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
