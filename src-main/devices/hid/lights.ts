/**
 * Guide lights, or a gate, at the relays of a board (usb-relay.ts). Each position has a relay by configuration; several may share
 * one, which is closed while any of them is lit. All are opened when the board is found and when it is let go: nothing is known
 * of what it did before, and a gate must not stay open behind a terminal that ended.
 */
import type { Clock } from '../../clock.ts';
import type { DeviceHealth } from '../device.ts';
import type { LightPattern, LightPosition, Lights } from '../lights.ts';
import type { HidBus, HidDevice, HidInfo } from './bus.ts';
import type { LightsConfig } from './config.ts';
import { HidConnection, type HidLog } from './connection.ts';
import { RELAY_IDS, relayChannels } from './kinds.ts';
import { RELAY_REPORT_LENGTH, relayCommand, relayState } from './usb-relay.ts';

/** Half a period, ms: 1 Hz and 2 Hz. Faster is not allowed for guidance lights (XFS4IoT 2024-3, Lights: at most 2 Hz). */
const HALF_PERIOD_MS: Partial<Record<LightPattern, number>> = { slowFlash: 500, quickFlash: 250 };

export interface HidLightsOptions {
  readonly bus: HidBus;
  readonly clock: Clock;
  readonly log: HidLog;
  readonly config: LightsConfig;
}

export class HidLights implements Lights {
  readonly name = 'lights';
  readonly connection: HidConnection;
  readonly #options: HidLightsOptions;
  readonly #shown = new Map<LightPosition, LightPattern>();
  /** How to end the flashing of each position. */
  readonly #flashing = new Map<LightPosition, () => void>();
  /** Positions that are lit at this moment. */
  readonly #lit = new Set<LightPosition>();
  /** One command after the other: two at once could be told and asked in any order. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: HidLightsOptions) {
    this.#options = options;
    const { config } = options;
    this.connection = new HidConnection(
      {
        ...options,
        name: this.name,
        selector: { ...RELAY_IDS, ...config },
        fits: (info) => relayChannels(info) !== null,
        typesKeys: false,
      },
      {
        attached: (device, info) => this.#found(device, info),
        report: () => undefined,
        detached: () => this.#darken(),
      },
    );
  }

  health(): DeviceHealth {
    return this.connection.health();
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    return this.connection.onHealth(listener);
  }

  /** Resolves when the board confirmed it. Rejects with DEVICE_UNAVAILABLE without one; then nothing is remembered either. */
  async set(position: LightPosition, pattern: LightPattern): Promise<void> {
    this.connection.need();
    this.#shown.set(position, pattern);
    this.#flashing.get(position)?.();
    this.#flashing.delete(position);
    const halfMs = this.#options.config.flashing ? HALF_PERIOD_MS[pattern] : undefined;
    await this.#light(position, pattern !== 'off');
    if (halfMs !== undefined && this.#shown.get(position) === pattern) this.#flash(position, halfMs);
  }

  async close(): Promise<void> {
    this.#darken();
    for (const channel of this.#channels()) {
      // The board may be gone already; then its relays have no current either.
      await this.#switch(channel, false).catch(() => undefined);
    }
    await this.connection.close();
  }

  async #found(device: HidDevice, info: HidInfo): Promise<void> {
    const has = relayChannels(info) ?? 0;
    const beyond = this.#channels().find((channel) => channel > has);
    if (beyond !== undefined) throw new Error(`relay ${beyond} is configured, and it has ${has}`);
    for (const channel of this.#channels()) await device.sendFeature(relayCommand(channel, false));
    await this.#confirm(device, 0);
  }

  #channels(): readonly number[] {
    return [...new Set(Object.values(this.#options.config.channels).filter((channel) => channel !== undefined))];
  }

  async #light(position: LightPosition, lit: boolean): Promise<void> {
    const channel = this.#options.config.channels[position];
    if (channel === undefined) return;
    if (lit) this.#lit.add(position);
    else this.#lit.delete(position);
    const on = [...this.#lit].some((one) => this.#options.config.channels[one] === channel);
    await this.#switch(channel, on);
  }

  #switch(channel: number, on: boolean): Promise<void> {
    const turn = this.#queue.then(() =>
      this.connection.transfer(async (device) => {
        await device.sendFeature(relayCommand(channel, on));
        await this.#confirm(device, on ? 1 << (channel - 1) : 0, 1 << (channel - 1));
      }),
    );
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #confirm(device: HidDevice, wanted: number, mask = this.#mask()): Promise<void> {
    const state = relayState(await device.getFeature(0, RELAY_REPORT_LENGTH));
    if (state === null) throw new Error('it does not answer as a USBRelay board');
    if ((state & mask) !== wanted) throw new Error(`its relays do not follow: ${state.toString(2).padStart(8, '0')}`);
  }

  #mask(): number {
    return this.#channels().reduce((mask, channel) => mask | (1 << (channel - 1)), 0);
  }

  #flash(position: LightPosition, halfMs: number): void {
    const callOff = this.#options.clock.after(halfMs, () => {
      // Only when the board has taken it comes the next one: a slow board flashes slowly. A failed transfer ends it.
      void this.#light(position, !this.#lit.has(position)).then(
        () => this.#flashing.get(position) === callOff && this.#flash(position, halfMs),
        () => undefined,
      );
    });
    this.#flashing.set(position, callOff);
  }

  /** Nothing is lit, and nothing flashes any more. */
  #darken(): void {
    for (const callOff of this.#flashing.values()) callOff();
    this.#flashing.clear();
    this.#lit.clear();
    this.#shown.clear();
  }
}
