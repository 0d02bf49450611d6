/** A person at a terminal, in the words of a specification: what they see, do and have in their hands. */
import { expect } from 'vitest';
import type { Language, Service } from '../../src-contract/primitives.ts';
import {
  type Intent,
  type IntentAnswer,
  type IntentKind,
  type Screen,
  type ScreenName,
  View,
} from '../../src-contract/screen.ts';
import type { SimulatedControl } from '../../src-main/devices/simulated/control.ts';
import type { Visits } from '../../src-main/session/visits.ts';
import { living, type Scene, type ScriptedCamera } from './scripted-camera.ts';
import type { TestedTerminal } from './terminal-world.ts';
import { type Mains, PowerCut, type WorldClock } from './world-clock.ts';

/** Longest wait for a screen, in the world's time: beyond every deadline of a terminal. */
const SEES_MS_MAX = 600_000;
/** Longest wait until a hand can do what it wants to, in the world's time. */
const HAND_MS_MAX = 5_000;

/** Between two looks whether the machine has done something. */
const LOOK_MS = 100;

/** What a person can do to the terminal's devices, whichever these are. */
export type CustomerHands = Pick<
  SimulatedControl,
  'pressKeys' | 'insertNotes' | 'takeNotes' | 'takeReturned' | 'scan'
> & {
  /** Whether no note waits at the input to be drawn in. */
  inputIsEmpty(): boolean;
};

interface CustomerParts {
  readonly tested: TestedTerminal;
  readonly mains: Mains;
  readonly clock: WorldClock;
  readonly visits: Visits;
  readonly camera: ScriptedCamera;
  readonly hands: CustomerHands;
}

type ScreenOf<Name extends ScreenName> = Extract<Screen, { name: Name }>;

export class TestCustomer {
  readonly #parts: CustomerParts;
  readonly #watchers = new Set<() => void>();
  #view: View | null = null;

  constructor(parts: CustomerParts) {
    this.#parts = parts;
    parts.visits.onView((view) => {
      if (!parts.mains.on) return;
      this.#view = View.parse(view);
      parts.tested.views.push(JSON.stringify(view));
      for (const watcher of [...this.#watchers]) watcher();
    });
    parts.mains.onCut(() => {
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  get view(): View {
    if (!this.#view) throw new Error('the terminal has shown nothing yet');
    return this.#view;
  }

  /** Waits for a screen, and for what `like` says of it. Rejects with PowerCut when the terminal goes dark. */
  async sees<Name extends ScreenName>(name: Name, like: Partial<ScreenOf<Name>> = {}): Promise<ScreenOf<Name>> {
    const { clock, mains } = this.#parts;
    const found = () => this.#view?.screen.name === name && matches(this.#view.screen, like);
    if (!found()) {
      await new Promise<void>((resolve, reject) => {
        const end = (settle: () => void) => {
          callOff();
          this.#watchers.delete(look);
          settle();
        };
        const look = () => {
          if (!mains.on) end(() => reject(new PowerCut(`while waiting for "${name}"`)));
          else if (found()) end(resolve);
        };
        const callOff = clock.after(SEES_MS_MAX, () =>
          end(() =>
            reject(
              new Error(`waited for "${name}" ${JSON.stringify(like)}, and saw ${JSON.stringify(this.#view?.screen)}`),
            ),
          ),
        );
        this.#watchers.add(look);
        look();
      });
    }
    return this.view.screen as ScreenOf<Name>;
  }

  /** Says an intent as an answer to what stands there now, or to another revision. */
  says(intent: unknown, revision = this.view.revision): IntentAnswer {
    return this.#parts.visits.handleIntent({ revision, intent });
  }

  #answers(intent: Intent): void {
    expect(this.says(intent), `"${intent.kind}" on "${this.view.screen.name}"`).toEqual({ ok: true });
  }

  stands(...scene: Scene): void {
    this.#parts.camera.scene = scene;
  }
  /** Stands before the camera with this face, alive. */
  comes(face: Float32Array): void {
    this.stands(living(face));
  }
  leaves(): void {
    this.stands();
  }

  /** Touches the screen, and chooses. */
  async chooses(service: Service): Promise<void> {
    await this.sees('attract');
    this.#answers({ kind: 'begin' });
    await this.sees('menu');
    this.#answers({ kind: 'choose-service', service });
  }
  async speaks(language: Language): Promise<void> {
    this.#answers({ kind: 'set-language', language });
  }
  async agrees(agreed = true): Promise<void> {
    const { consent } = await this.sees('consent');
    this.#answers({ kind: 'answer-consent', version: consent.version, agreed });
  }
  async asksFor(yen: number): Promise<void> {
    await this.sees('amount');
    this.#answers({ kind: 'choose-amount', amountMinor: yen as never });
  }
  /** Keys in the number of the account to pay. */
  async pays(accountNumber: string): Promise<void> {
    await this.sees('payee');
    this.#answers({ kind: 'enter-payee', accountNumber });
  }
  async corrects(what: 'amount' | 'payee'): Promise<void> {
    this.#answers({ kind: 'correct', what });
  }
  async confirms(): Promise<void> {
    this.#answers({ kind: 'confirm' });
  }
  async cancels(): Promise<void> {
    this.#answers({ kind: 'cancel' });
  }
  async does(kind: Extract<IntentKind, 'extend' | 'retry' | 'pay' | 'begin'>): Promise<void> {
    this.#answers({ kind });
  }
  async wantsReceipt(print = true): Promise<void> {
    await this.sees('receipt');
    this.#answers({ kind: 'choose-receipt', print });
  }

  /** Keys once the pad takes them. */
  async keys(keys: string): Promise<void> {
    await this.sees('pin');
    expect(await this.#parts.hands.pressKeys(keys, { waitMs: HAND_MS_MAX })).toMatchObject({ ok: true });
  }
  /** Notes into the input, as denomination and count, and pieces of paper that are none. */
  async inserts(notes: Readonly<Record<number, number>>, unrecognised = 0): Promise<void> {
    await this.sees('insert-cash');
    const bunch = Object.entries(notes).map(([denomination, count]) => ({
      denominationMinor: Number(denomination),
      count,
    }));
    const { hands } = this.#parts;
    expect(await hands.insertNotes(bunch, { waitMs: HAND_MS_MAX, unrecognised })).toEqual({ ok: true });
    await this.#when(() => hands.inputIsEmpty());
  }
  async takesCash(): Promise<void> {
    await this.sees('take-cash');
    expect(await this.#parts.hands.takeNotes({ waitMs: HAND_MS_MAX })).toEqual({ ok: true });
  }
  async takesReturned(): Promise<void> {
    expect(await this.#parts.hands.takeReturned({ waitMs: HAND_MS_MAX })).toEqual({ ok: true });
  }
  async shows(barcode: string): Promise<void> {
    expect(await this.#parts.hands.scan(barcode)).toEqual({ ok: true });
  }

  /** Waits, in the world's time. */
  async waits(ms: number): Promise<void> {
    await this.#parts.clock.sleep(ms, new AbortController().signal);
  }

  async #when(condition: () => boolean): Promise<void> {
    for (let waited = 0; !condition() && waited < 60_000; waited += LOOK_MS) await this.waits(LOOK_MS);
  }
}

/** Whether every member of `like` is in `value` as it is there. */
function matches(value: unknown, like: unknown): boolean {
  if (typeof like !== 'object' || like === null) return Object.is(value, like);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(like).every(([key, member]) => matches((value as Record<string, unknown>)[key], member));
}
