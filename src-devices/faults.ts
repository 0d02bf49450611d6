/**
 * Faults that are armed before they strike. A fault is named by a kind, strikes at its n-th use (a pick, a present, a
 * completion of some command …) and so often as told. The code of a service only asks, where hardware would fail, whether a
 * fault of a kind strikes now; what the kinds are is data: see cash/cash-faults.ts and wire-faults.ts.
 */
import { z } from 'zod';

export interface FaultKind<Parameters extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** What happens and where, one sentence for people. */
  readonly says: string;
  readonly parameters: Parameters;
}

export function faultKind<Parameters extends z.ZodRawShape>(
  name: string,
  says: string,
  parameters: Parameters,
): FaultKind<z.ZodObject<Parameters>> {
  return { name, says, parameters: z.strictObject(parameters) as unknown as z.ZodObject<Parameters> };
}

/** When an armed fault strikes; its kind's own parameters stand beside these. */
const When = z.object({
  fault: z.string(),
  /** Strikes at this use from now on, counted from 1. */
  use: z.int().min(1).default(1),
  /** How many uses in a row it strikes. */
  times: z.int().min(1).max(1_000_000).default(1),
});

export interface ArmedFault {
  readonly id: number;
  readonly fault: string;
  /** Uses until it strikes; 1: the next one. */
  readonly use: number;
  /** Strikes left. */
  readonly times: number;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** More armed faults than anybody can keep in mind. */
const ARMED_MAX = 1_000;

export class Faults {
  readonly #kinds: ReadonlyMap<string, FaultKind>;
  #armed: ArmedFault[] = [];
  #nextId = 1;

  constructor(kinds: readonly FaultKind[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind.name, kind]));
  }

  kinds(): readonly FaultKind[] {
    return [...this.#kinds.values()];
  }

  armed(): readonly ArmedFault[] {
    return this.#armed;
  }

  /** `{ fault: 'pickFailure', afterNotes: 3, use: 2 }`. Throws an Error that names the field that does not fit. */
  arm(order: Readonly<Record<string, unknown>> & { readonly fault: string }): ArmedFault {
    const kind = this.#kinds.get(order.fault);
    if (!kind) throw new Error(`fault: there is no ${order.fault}; there are ${[...this.#kinds.keys()].join(', ')}`);
    if (this.#armed.length >= ARMED_MAX) throw new Error(`fault: ${ARMED_MAX} faults are armed already`);
    const { fault, use, times } = When.parse(order);
    const own = Object.fromEntries(Object.entries(order).filter(([key]) => !['fault', 'use', 'times'].includes(key)));
    const parsed = kind.parameters.safeParse(own);
    if (!parsed.success) throw new Error(`fault ${fault}: ${z.prettifyError(parsed.error)}`);
    const armed = { id: this.#nextId++, fault, use, times, parameters: parsed.data as Record<string, unknown> };
    this.#armed.push(armed);
    return armed;
  }

  disarm(id: number): void {
    this.#armed = this.#armed.filter((armed) => armed.id !== id);
  }

  disarmAll(): void {
    this.#armed = [];
  }

  /**
   * One use of whatever this kind afflicts: the parameters of the fault that strikes now, or null. `fits` narrows which
   * faults this use counts for (e.g. those armed for the command at hand).
   */
  strikes<Parameters extends z.ZodObject>(
    kind: FaultKind<Parameters>,
    fits: (parameters: z.output<Parameters>) => boolean = () => true,
  ): z.output<Parameters> | null {
    let struck: z.output<Parameters> | null = null;
    this.#armed = this.#armed.flatMap((armed) => {
      const parameters = armed.parameters as z.output<Parameters>;
      if (armed.fault !== kind.name || !fits(parameters)) return [armed];
      if (armed.use > 1) return [{ ...armed, use: armed.use - 1 }];
      if (struck) return [armed];
      struck = parameters;
      return armed.times > 1 ? [{ ...armed, times: armed.times - 1 }] : [];
    });
    return struck;
  }
}
