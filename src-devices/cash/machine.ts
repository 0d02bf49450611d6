/**
 * The mechanism all cash services of one machine share: units, transport, stacker, escrow, two positions with a shutter each.
 * Every change of the state is durable before anything else happens, so a power cut at any moment leaves every note somewhere.
 */
import type { Chance } from '../clock.ts';
import type { CommandContext } from '../command.ts';
import { CashState, contents, type Place, type Unit } from '../notes/cash-state.ts';
import { loadedState, type UnitLoad } from '../notes/load.ts';
import { type Move, move, room } from '../notes/move.ts';
import { total } from '../notes/tally.ts';
import type { Outlet, Runtime } from '../service-definition.ts';
import { StateFile } from '../state-file.ts';

/** Where notes come out, where they go in, and where refused or returned ones are given back. */
export const OUTPUT = 'outCenter';
export const INPUT = 'inCenter';
export const RETURN = 'outLeft';

/** How long mechanisms of a usual recycler take, ms. */
export const MS = { start: 800, note: 100, shutter: 700, bunch: 1_500 } as const;

/** Which half of a machine a service is: both, where one service is dispenser and acceptor. */
export interface Halves {
  readonly dispenser: boolean;
  readonly acceptor: boolean;
}

export interface MachineOptions {
  readonly stateDir: string;
  readonly load: readonly UnitLoad[];
  /** Most notes of one dispense, and of one cash-in. */
  readonly itemsMax: number;
  /** Most notes shown to the customer at once; a larger payout comes in several bunches. */
  readonly bunchItemsMax: number;
  /** Notes the escrow holds. */
  readonly escrowItemsMax: number;
  /** The client moves the acceptor's shutter, and asks for refused notes to be shown (`shutterControl`, `presentControl` false). */
  readonly explicitShutter: boolean;
  /** Whether each change is flushed to the disk. */
  readonly flush: boolean;
}

export class CashMachine {
  readonly runtime: Runtime;
  readonly chance: Chance;
  readonly options: MachineOptions;
  readonly #file: StateFile<CashState>;
  readonly #outlets: { readonly outlet: Outlet; readonly halves: Halves }[] = [];
  #turn: Promise<void> = Promise.resolve();
  /** Notes were taken and no sensor noticed: the position still counts as full. */
  readonly #blind = { output: false, input: false };

  /** Throws an Error that names the file when the stored state is damaged. */
  constructor(runtime: Runtime, chance: Chance, options: MachineOptions) {
    this.runtime = runtime;
    this.chance = chance;
    this.options = options;
    this.#file = StateFile.open(options.stateDir, 'cash', CashState, () => loadedState(options.load), options);
  }

  /** A service over this mechanism, or over one half of it. */
  attach(outlet: Outlet, halves: Halves): void {
    this.#outlets.push({ outlet, halves });
  }

  get state(): CashState {
    return this.#file.value;
  }

  /** Changes the state as one durable step, and tells the clients what is different. */
  change(step: (draft: CashState) => void): void {
    this.runtime.power.throwIfAborted();
    const draft = structuredClone(this.#file.value);
    step(draft);
    this.#file.set(draft);
    this.notify();
  }

  move(...orders: readonly Move[]): void {
    this.change((draft) => {
      for (const order of orders) move(draft, order);
    });
  }

  /** Moves notes and remembers what follows from it, as one durable step. */
  moveAnd(orders: readonly Move[], step: (draft: CashState) => void): void {
    this.change((draft) => {
      for (const order of orders) move(draft, order);
      step(draft);
    });
  }

  notify(): void {
    for (const { outlet } of this.#outlets) outlet.changed();
  }

  /** Told by the services of that half. */
  unsolicited(half: keyof Halves, name: string, payload: Record<string, unknown>): void {
    for (const { outlet, halves } of this.#outlets) if (halves[half]) outlet.unsolicited(name, payload);
  }

  /** One of the three item events, with `position` as this dialect writes it; `cause` is the command that made it happen. */
  positionEvent(name: string, position: string, additionalBunches?: number, cause?: CommandContext): void {
    const { eventPosition, itemEvents } = this.runtime.dialect();
    const bunches = additionalBunches === undefined ? {} : { additionalBunches: String(additionalBunches) };
    const at = { position, ...bunches };
    const payload = eventPosition === 'wrapped' ? { position: at } : at;
    if (cause && itemEvents === 'ofCommand') cause.event(name, payload);
    else this.unsolicited(position === OUTPUT ? 'dispenser' : 'acceptor', name, payload);
  }

  /** One mechanical act at a time, over all services of the machine. */
  async exclusive<Result>(act: () => Promise<Result>): Promise<Result> {
    const before = this.#turn;
    let free = () => {};
    this.#turn = new Promise((resolve) => {
      free = resolve;
    });
    await before;
    try {
      return await act();
    } finally {
      free();
    }
  }

  count(place: Place): number {
    return total(contents(this.state, place));
  }

  unit(id: string): Unit {
    const unit = this.state.units[id];
    if (!unit) throw new Error(`there is no ${id}`);
    return unit;
  }

  units(...kinds: readonly Unit['kind'][]): (readonly [id: string, unit: Unit])[] {
    return Object.entries(this.state.units).filter(([, { kind }]) => kinds.includes(kind));
  }

  /** The first working unit of a kind with room for one more note. */
  bin(kind: 'reject' | 'retract'): string | null {
    return this.units(kind).find(([, unit]) => unit.status === 'ok' && room(unit) > 0)?.[0] ?? null;
  }

  blind(position: 'output' | 'input'): boolean {
    return this.#blind[position];
  }

  setBlind(position: 'output' | 'input', blind: boolean): void {
    this.#blind[position] = blind;
  }

  /** Whether the machine thinks something lies at a position. */
  occupied(position: 'output' | 'input'): boolean {
    return this.#blind[position] || this.count(position === 'output' ? 'exit' : 'return') > 0;
  }
}
