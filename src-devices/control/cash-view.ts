/** The cash side of the machine as a person sees it: what lies in every cassette and in every other place, whatever was counted. */
import type { Cash } from '../cash/cash-services.ts';
import { replenishment } from '../cash/storage-view.ts';
import { contents, PLACES, problems } from '../notes/cash-state.ts';
import { itemKey, itemOf, NOTE_TYPES, UNRECOGNIZED } from '../notes/items.ts';
import { sum, type Tally, total, worth } from '../notes/tally.ts';

/** Paper a customer can be given to insert, beside good notes: one that looks false, and one that is no note. */
const ODD_ITEMS = [itemKey(NOTE_TYPES.at(-1)!, 'counterfeit'), UNRECOGNIZED];

export function cashView({ machine, hands, security }: Cash) {
  const { state } = machine;
  const places = PLACES.map((place) => ({ place, tally: contents(state, place) }));
  const inUnits = sum(Object.values(state.units).map(({ notes }) => notes));
  return {
    units: Object.entries(state.units).map(([id, unit]) => ({
      id,
      name: unit.name,
      kind: unit.kind,
      value: unit.value,
      count: total(unit.notes),
      capacity: unit.capacity,
      status: unit.status,
      level: replenishment(unit),
    })),
    places: [{ place: 'units', tally: inUnits }, ...places].map(({ place, tally }) => ({
      place,
      count: total(tally),
      worth: worth(tally),
    })),
    problems: problems(state),
    security: security.guard.status() ?? 'none',
    jams: [state.dispenserJam, state.acceptorJam].filter((jam) => jam !== null),
    foreign: { output: state.foreignAtOutput, input: state.foreignAtInput },
    output: { shutter: state.outputShutter, notes: lying(contents(state, 'exit')) },
    input: { shutter: state.inputShutter, accepting: hands.canInsert() },
    returned: lying(contents(state, 'return')),
    items: [...NOTE_TYPES.map((type) => itemKey(type)).reverse(), ...ODD_ITEMS].map((item) => ({
      item,
      ...named(item),
    })),
  };
}

const lying = (tally: Tally) =>
  Object.entries(tally).flatMap(([item, count]) => (count > 0 ? [{ ...named(item), count }] : []));

/** Value in major units, 0 for what is no note; level null for the same. */
function named(item: string): { readonly value: number; readonly level: string | null } {
  const known = itemOf(item);
  return known ? { value: known.type.value, level: known.level } : { value: 0, level: null };
}
