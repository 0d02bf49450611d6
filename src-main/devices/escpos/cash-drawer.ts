/** A cash drawer at the drawer connector of an ESC/POS printer: opened by a pulse, seen by the level of pin 3. */
import type { Clock } from '../../clock.ts';
import type { CashDrawer, DrawerCompletion, DrawerState } from '../cash-drawer.ts';
import type { DeviceHealth } from '../device.ts';
import { type DrawerPin, pulse, pulseNow } from './commands.ts';
import type { EscPosPrinter } from './receipt-printer.ts';

export interface DrawerSettings {
  /** Pin of the connector that the solenoid hangs on. Drawer 1 is pin 2, and nearly every drawer. */
  readonly pin: DrawerPin;
  /** Level of pin 3 while the drawer is open; null where no switch is wired. Pin 3 floats high when nothing is plugged in. */
  readonly openLevel: 'low' | 'high' | null;
  /** How long the solenoid gets its current, ms, at most 500. The maker's figure; too long burns it. */
  readonly pulseMs: number;
}

/** From the pulse to the switch, ms: the spring needs about a quarter of a second. */
const OPENING_MS_MAX = 1_500;
const LOOK_EVERY_MS = 150;

export class EscPosDrawer implements CashDrawer {
  readonly name = 'cash-drawer';
  readonly #printer: EscPosPrinter;
  readonly #settings: DrawerSettings;
  readonly #clock: Clock;
  readonly #listeners = new Set<(state: DrawerState) => void>();
  readonly #stopListening: () => void;
  #last: DrawerState;

  constructor(printer: EscPosPrinter, settings: DrawerSettings, clock: Clock) {
    this.#printer = printer;
    this.#settings = settings;
    this.#clock = clock;
    this.#last = this.state();
    this.#stopListening = printer.onCondition(() => {
      const state = this.state();
      if (state === this.#last) return;
      this.#last = state;
      for (const listener of [...this.#listeners]) listener(state);
    });
  }

  /** The printer's, but for its paper and cover: a drawer opens without either. */
  health(): DeviceHealth {
    const health = this.#printer.health();
    const printerOnly = health.state === 'userError' || health.state === 'hardwareError' || health.state === 'online';
    return printerOnly ? { state: 'online', problem: null } : health;
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    let last = this.health();
    return this.#printer.onHealth(() => {
      const health = this.health();
      if (health.state === last.state && health.problem === last.problem) return;
      last = health;
      listener(health);
    });
  }

  state(): DrawerState {
    const { openLevel } = this.#settings;
    const { drawerPinHigh } = this.#printer.condition;
    if (openLevel === null || drawerPinHigh === null) return 'unknown';
    return drawerPinHigh === (openLevel === 'high') ? 'open' : 'closed';
  }

  onState(listener: (state: DrawerState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async openDrawer(signal: AbortSignal): Promise<DrawerCompletion> {
    if (this.state() === 'open') return { outcome: 'opened' };
    const { pin, pulseMs } = this.#settings;
    // A printer that stands still would keep ESC p in its memory until somebody puts in paper.
    const sent = await this.#printer.send(
      ({ online }) => (online === false ? pulseNow(pin, pulseMs) : pulse(pin, pulseMs)),
      signal,
    );
    if (sent !== 'sent') return { outcome: 'failed', error: 'noDevice', message: sent.message };
    const end = this.#clock.monotonicMs() + OPENING_MS_MAX;
    while (this.state() === 'closed') {
      if (this.#clock.monotonicMs() >= end) {
        return { outcome: 'failed', error: 'stuck', message: 'the drawer got its pulse and stays closed: locked?' };
      }
      await this.#clock.sleep(LOOK_EVERY_MS, signal);
      await this.#printer.look();
    }
    return { outcome: this.state() === 'open' ? 'opened' : 'pulsed' };
  }

  /** The connection is the printer's and goes with it. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#listeners.clear();
  }
}
