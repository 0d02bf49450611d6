/**
 * What the machines of a visit have in common. A state that waits for a person carries in its `meta` what to show and
 * what may be answered; the innermost active state that shows something is what stands on the screen (visits.ts).
 */
import type { Money, Service } from '../../src-contract/primitives.ts';
import type { Intent, IntentKind, Screen, SorryCode } from '../../src-contract/screen.ts';

/** An intent as an event of a state machine. "cancel" also comes when nobody answered in time. */
export type IntentEvent = Intent extends infer One
  ? One extends { kind: infer Kind }
    ? Omit<One, 'kind'> & { type: Kind }
    : never
  : never;

export interface Shown {
  readonly screen: Screen;
  readonly offers: readonly IntentKind[];
  /** Whether the visit ends when nobody answers; "farewell" ends it sooner, without a warning. */
  readonly patience: 'answer' | 'farewell' | 'none';
  /** Changes with what a person does that the screen does not show; patience begins anew with it. */
  readonly activity?: number;
}

export interface StepMeta<Context> {
  readonly show: (context: Context) => Shown;
}

export function shows<Context>(show: (context: Context) => Shown): { meta: StepMeta<Context> } {
  return { meta: { show } };
}

/** A screen that only informs: work goes on behind it and ends by itself. */
export function waiting<Context>(what: Extract<Screen, { name: 'wait' }>['what']): { meta: StepMeta<Context> } {
  return shows<Context>(() => ({ screen: { name: 'wait', what }, offers: [], patience: 'none' }));
}

/** How a service ended, for the visit to say. */
export type Outcome =
  | {
      readonly kind: 'done';
      readonly service: Service;
      readonly amount: Money | null;
      readonly balance: Money | null;
      readonly receipt: Extract<Screen, { name: 'done' }>['receipt'];
      readonly standIn: boolean;
      readonly lookAlike?: true;
      readonly accountNumber?: string;
    }
  | {
      readonly kind: 'sorry';
      readonly service: Service;
      readonly code: SorryCode;
      readonly possibleMinor: readonly number[];
      readonly madeWhole: Money | null;
      readonly reference: string | null;
    }
  | { readonly kind: 'cancelled' };

export function sorry(
  service: Service,
  code: SorryCode,
  more: { possibleMinor?: readonly number[]; madeWhole?: Money | null; reference?: string | null } = {},
): Outcome {
  const { possibleMinor = [], madeWhole = null, reference = null } = more;
  return { kind: 'sorry', service, code, possibleMinor, madeWhole, reference };
}

/** For an output that a machine sets before it ends. A machine that ends without one has a bug. */
export function reached<T>(value: T | null): T {
  if (value === null) throw new Error('a machine of the visit ended without saying how');
  return value;
}
