/** XFS4IoT denomination requests (CashDispenser.Denominate and .Dispense): what notes from which units an order means. */
import { z } from 'zod';
import { failed, type Outcome } from '../command.ts';
import type { Payload } from '../envelope.ts';
import { counted, type Unit } from '../notes/cash-state.ts';
import { total } from '../notes/tally.ts';
import type { CashMachine } from './machine.ts';
import { MIXES, mixNotes, type Supply } from './mix.ts';

const Currencies = z.record(z.string().regex(/^[A-Z]{3}$/), z.number().positive());
const Counts = z.record(z.string().regex(/^unit[0-9A-Za-z]+$/), z.int().nonnegative());
const CashBox = z.looseObject({}).nullish();

/** Exactly one of `service` (the device chooses) and `app` (the client chose). */
export const DenominationRequest = z.object({
  denomination: z
    .object({
      service: z
        .object({ currencies: Currencies, mix: z.string(), partial: Counts.nullish(), cashBox: CashBox })
        .nullish(),
      app: z.object({ currencies: Currencies.nullish(), counts: Counts, cashBox: CashBox }).nullish(),
    })
    .refine(({ service, app }) => (service ? !app : Boolean(app)), 'needs exactly one of service and app'),
  tellerID: z.int().nullish(),
});
export type DenominationRequest = z.output<typeof DenominationRequest>;

export interface Denomination {
  /** Notes per unit, none of them 0. */
  readonly units: Readonly<Record<string, number>>;
  readonly currency: string;
  /** Major units: the value of those notes, and nothing the client claims. */
  readonly amount: number;
}

/** The amount an order asks for, as far as it can be read without choosing notes. */
export function denominate(
  machine: CashMachine,
  { denomination, tellerID }: DenominationRequest,
): { readonly denomination: Denomination } | { readonly refusal: Outcome } {
  const refuse = (errorCode: string, description: string) => ({ refusal: failed(errorCode, description) });
  if (tellerID) return refuse('invalidTellerID', 'this is a self-service machine');
  const { service, app } = denomination;
  if (service?.cashBox || app?.cashBox) return refuse('noCashBoxPresent', 'there is no cash box');
  const currencies = Object.entries(service?.currencies ?? app?.currencies ?? {});
  if (currencies.length > 1) return refuse('noCurrencyMix', 'one currency at a time');
  const [currency, amount] = currencies[0] ?? ['JPY', null];
  if (currency !== 'JPY') return refuse('invalidCurrency', `no unit holds ${currency}`);

  const units = service
    ? fromMix(machine, service.mix, amount ?? 0, service.partial ?? {})
    : fromCounts(machine, app!.counts);
  if ('refusal' in units) return units;
  const worth = Object.entries(units.counts).reduce(
    (sum, [id, count]) => sum + count * (machine.unit(id).value ?? 0),
    0,
  );
  if (worth === 0) return refuse('invalidDenomination', 'no notes are asked for');
  if (amount !== null && worth !== amount) {
    return refuse('invalidDenomination', `the counts make ${worth} ${currency}, not ${amount}`);
  }
  return { denomination: { units: units.counts, currency, amount: worth } };
}

type Chosen = { readonly counts: Record<string, number> } | { readonly refusal: Outcome };

function fromMix(machine: CashMachine, mix: string, amount: number, partial: Record<string, number>): Chosen {
  const known = MIXES[mix];
  if (!known) return { refusal: failed('invalidMixNumber', `there is no ${mix}`) };
  const supplies = suppliesOf(machine);
  const strange = Object.keys(partial).find((id) => !supplies.some(({ unit }) => unit === id));
  if (strange) return { refusal: failed('notDispensable', `${strange} does not pay out`) };
  const { itemsMax } = machine.options;
  const counts = mixNotes(amount, supplies, known.algorithm, itemsMax, partial);
  if (counts) return { counts };
  // Would it go if the stacker held more? The largest stack anybody has, so that the search stays short.
  const many = mixNotes(amount, supplies, 'minimumBills', itemsMax * 4, partial);
  return { refusal: failed(many ? 'tooManyItems' : 'notDispensable', `${amount} can't be made`) };
}

function fromCounts(machine: CashMachine, counts: Record<string, number>): Chosen {
  const wanted = Object.entries(counts).filter(([, count]) => count > 0);
  const supplies = suppliesOf(machine);
  for (const [id, count] of wanted) {
    const supply = supplies.find(({ unit }) => unit === id);
    if (!supply) return { refusal: failed('notDispensable', `${id} does not pay out`) };
    if (supply.available < count)
      return { refusal: failed('notDispensable', `${id} counts ${supply.available} notes`) };
  }
  const items = wanted.reduce((sum, [, count]) => sum + count, 0);
  if (items > machine.options.itemsMax) return { refusal: failed('tooManyItems', `${items} notes`) };
  return { counts: Object.fromEntries(wanted) };
}

/** Units that can pay out now, by what they count. */
export function suppliesOf(machine: CashMachine): Supply[] {
  return machine
    .units('cashOut', 'recycle')
    .filter(([, unit]) => paysOut(unit))
    .map(([id, unit]) => ({ unit: id, value: unit.value!, available: total(counted(unit)) }));
}

export const paysOut = (unit: Unit): boolean =>
  unit.value !== null && unit.status === 'ok' && !unit.appLockOut && !unit.sensedEmpty && total(counted(unit)) > 0;

/** XFS4IoT result object. */
export const denominationResult = (
  currency: string,
  amount: number,
  units: Readonly<Record<string, number>>,
): Payload => ({
  currencies: { [currency]: amount },
  values: Object.fromEntries(Object.entries(units).filter(([, count]) => count > 0)),
});
