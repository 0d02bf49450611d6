/**
 * One device of the terminal on the bus: finds it, opens it, notices that it vanished, finds it again. HID has no event for
 * plugging in (hidapi lists, and a listing asks every device on the bus), so it lists every few seconds while the device is
 * missing and not at all while it is there: then a read error tells that it went.
 */
import type { Logger } from 'pino';
import { type Clock, deadline } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { Device, DeviceHealth } from '../device.ts';
import { type HidBus, type HidDevice, type HidInfo, type HidInspection, nameOf, usbId } from './bus.ts';
import type { HidSelector } from './config.ts';
import { udevAdvice } from './udev.ts';

export type HidLog = Pick<Logger, 'info' | 'warn'>;

/** Between two looks for a missing device, ms. Short enough for a technician who stands there, long enough for the bus. */
const LOOK_MS = 2_000;
/** Longest wait for one transfer, ms. Linux gives a control transfer 5 s (USB_CTRL_SET_TIMEOUT); what takes longer is gone. */
const TRANSFER_MS_MAX = 6_000;
const HEALTHY: DeviceHealth = { state: 'online', problem: null };

export interface HidConnectionOptions {
  readonly bus: HidBus;
  readonly clock: Clock;
  readonly log: HidLog;
  /** "pin-pad" */
  readonly name: string;
  readonly selector: HidSelector;
  /** Whether a device of the selector is of the kind: a keypad also has interfaces for volume keys. */
  readonly fits: (info: HidInfo) => boolean;
  readonly typesKeys: boolean;
}

/** What a driver does with its device. */
export interface HidDriver {
  /** The device was opened; reports come when this has resolved. Rejects when it is not what the driver needs: then it is
   *  closed again. */
  attached(device: HidDevice, info: HidInfo, inspection: HidInspection): Promise<void>;
  /** What is wrong with a device that works all the same; asked again and again until nothing is. */
  examine?(info: HidInfo, inspection: HidInspection): DeviceHealth | null;
  report(bytes: Uint8Array): void;
  detached(reason: string): void;
}

interface Attached {
  readonly device: HidDevice;
  readonly info: HidInfo;
}

export class HidConnection implements Device {
  readonly name: string;
  readonly #options: HidConnectionOptions;
  readonly #driver: HidDriver;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(health: DeviceHealth) => void>();
  #attached: Attached | null = null;
  #health: DeviceHealth;
  #running: Promise<void> = Promise.resolve();
  /** Resolves when the health has a problem. */
  #troubled = Promise.withResolvers<void>();

  constructor(options: HidConnectionOptions, driver: HidDriver) {
    this.name = options.name;
    this.#options = options;
    this.#driver = driver;
    this.#health = { state: 'offline', problem: `${options.name} was not looked for yet` };
  }

  /** Looks once, then goes on by itself until close(). Never rejects: what is wrong stands in health(). */
  start(): Promise<void> {
    const first = this.#look();
    this.#running = first.then(() => this.#keep());
    return first;
  }

  health(): DeviceHealth {
    return this.#health;
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throws DEVICE_UNAVAILABLE, with what the technician may do, while there is no device. */
  need(): HidDevice {
    if (this.#attached) return this.#attached.device;
    throw new TerminalError('DEVICE_UNAVAILABLE', this.#health.problem ?? `${this.name} is closed`);
  }

  /** One transfer, bounded. A device that does not answer, or refuses, is taken for gone and looked for again. */
  async transfer<Answer>(act: (device: HidDevice) => Promise<Answer>): Promise<Answer> {
    const device = this.need();
    try {
      return await this.#within(act(device));
    } catch (cause) {
      const reason = `${this.name} does not take what is sent to it: ${messageOf(cause)}`;
      if (this.#attached?.device === device) this.#gone(reason);
      throw new TerminalError('DEVICE_UNAVAILABLE', reason, { cause });
    }
  }

  /** Asks the system about the device anew. Rejects with DEVICE_UNAVAILABLE when it does not tell. */
  async examine(): Promise<DeviceHealth> {
    const attached = this.#attached;
    if (attached) {
      try {
        const inspection = await this.#within(this.#options.bus.inspect(attached.info.path));
        if (this.#attached === attached) this.#examined(attached.info, inspection);
      } catch (cause) {
        throw new TerminalError('DEVICE_UNAVAILABLE', `${this.name}: ${messageOf(cause)}`, { cause });
      }
    }
    return this.#health;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new TerminalError('DEVICE_UNAVAILABLE', `${this.name} is closed`));
    await this.#running;
    const attached = this.#attached;
    this.#attached = null;
    this.#setHealth({ state: 'offline', problem: `${this.name} is closed` });
    if (attached) {
      this.#driver.detached(`${this.name} is closed`);
      await this.#shut(attached.device);
    }
  }

  async #keep(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        // A device with nothing wrong is left alone until something is, or it is gone.
        if (this.#attached && this.#health.problem === null) {
          this.#troubled = Promise.withResolvers();
          await orAbort(this.#troubled.promise, signal);
        }
        await clock.sleep(LOOK_MS, signal);
      } catch {
        return; // Closed: nothing else ends these waits.
      }
      if (this.#attached) await this.examine().catch(() => undefined);
      else await this.#look();
    }
  }

  /** Looks for the device, and opens it when there is one. */
  async #look(): Promise<void> {
    try {
      const fitting = this.#fitting(await this.#within(this.#options.bus.list(), this.#closing.signal));
      const [info, second] = fitting;
      if (info === undefined) {
        this.#setHealth({ state: 'offline', problem: `${this.name}: no ${this.#wanted()} is plugged in` });
        return;
      }
      if (second !== undefined) {
        const which = fitting.map((one) => `${nameOf(one)} at ${one.port ?? one.path}`).join(', ');
        const problem = `${this.name}: ${fitting.length} devices fit (${which}); name one by serialNumber or port`;
        this.#setHealth({ state: 'userError', problem });
        return;
      }
      await this.#attach(info);
    } catch (error) {
      this.#setHealth({
        state: 'hardwareError',
        problem: `${this.name}: the USB bus cannot be read: ${messageOf(error)}`,
      });
    }
  }

  async #attach(info: HidInfo): Promise<void> {
    const { bus } = this.#options;
    let early: string | null = null;
    let device: HidDevice | null = null;
    // Reports that come before the driver is ready are not for anybody: a key that was pressed while it was plugged in.
    let ready = false;
    const opening = bus.open(info.path, {
      onReport: (report) => {
        if (ready && this.#attached?.device === device) this.#driver.report(report);
        else report.fill(0);
      },
      onGone: (reason) => {
        if (device !== null && this.#attached?.device === device) this.#gone(`${this.name} vanished: ${reason}`);
        else early = reason;
      },
    });
    const { signal } = this.#closing;
    const opened = await this.#within(opening, signal).catch((error: unknown) => {
      void opening.then(
        (late) => (late.outcome === 'opened' ? this.#shut(late.device) : undefined),
        () => undefined,
      );
      return { outcome: 'failed', reason: messageOf(error) } as const;
    });
    if (opened.outcome !== 'opened') {
      this.#setHealth(this.#refused(info, opened.outcome, opened.reason));
      return;
    }
    device = opened.device;
    this.#attached = { device, info };
    try {
      const inspection = await this.#within(bus.inspect(info.path), signal);
      await this.#within(this.#driver.attached(device, info, inspection), signal);
      if (early !== null) throw new Error(early);
      if (this.#attached?.device !== device) return;
      ready = true;
      this.#examined(info, inspection);
      this.#options.log.info({ device: this.name, hid: nameOf(info), path: info.path }, 'HID device opened');
    } catch (error) {
      if (this.#attached?.device === device) {
        this.#attached = null;
        this.#driver.detached(messageOf(error));
        await this.#shut(device);
      }
      this.#setHealth({ state: 'hardwareError', problem: `${this.name} (${nameOf(info)}): ${messageOf(error)}` });
    }
  }

  #examined(info: HidInfo, inspection: HidInspection): void {
    this.#setHealth(this.#driver.examine?.(info, inspection) ?? HEALTHY);
  }

  #gone(reason: string): void {
    const attached = this.#attached;
    if (!attached) return;
    this.#attached = null;
    this.#options.log.warn({ device: this.name, hid: nameOf(attached.info), reason }, 'HID device gone');
    this.#setHealth({ state: 'offline', problem: `${reason}. Look at its cable` });
    this.#driver.detached(reason);
    void this.#shut(attached.device);
  }

  #fitting(all: readonly HidInfo[]): readonly HidInfo[] {
    const { selector, fits } = this.#options;
    return all.filter(
      (info) =>
        (selector.vendorId ?? info.vendorId) === info.vendorId &&
        (selector.productId ?? info.productId) === info.productId &&
        (selector.serialNumber ?? info.serialNumber) === info.serialNumber &&
        (selector.port ?? info.port) === info.port &&
        fits(info),
    );
  }

  #wanted(): string {
    const { vendorId, productId, serialNumber, port } = this.#options.selector;
    const ids = vendorId === undefined ? '' : ` ${usbId(vendorId)}:${productId === undefined ? '*' : usbId(productId)}`;
    return `USB HID device${ids}${serialNumber ? ` with serial number ${serialNumber}` : ''}${port ? ` at ${port}` : ''}`;
  }

  #refused(info: HidInfo, outcome: 'denied' | 'busy' | 'absent' | 'failed', reason: string): DeviceHealth {
    const which = `${this.name} (${nameOf(info)}, ${info.path})`;
    if (outcome === 'denied') {
      const advice = udevAdvice({ ...info, typesKeys: this.#options.typesKeys });
      return { state: 'userError', problem: `${which}: this user may not open it. ${advice}` };
    }
    if (outcome === 'busy') return { state: 'userError', problem: `${which} is in use by another program` };
    return {
      state: outcome === 'absent' ? 'offline' : 'hardwareError',
      problem: `${which} cannot be opened: ${reason}`,
    };
  }

  #setHealth(health: DeviceHealth): void {
    if (health.state === this.#health.state && health.problem === this.#health.problem) return;
    this.#health = health;
    if (health.problem !== null) this.#troubled.resolve();
    for (const listener of [...this.#listeners]) listener(health);
  }

  async #within<Answer>(answer: Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    using limit = deadline(this.#options.clock, TRANSFER_MS_MAX, signal);
    return await orAbort(answer, limit.signal);
  }

  async #shut(device: HidDevice): Promise<void> {
    // A device that is gone may not even close; nothing depends on it any more.
    await this.#within(device.close()).catch((error: unknown) => {
      this.#options.log.warn({ device: this.name, reason: messageOf(error) }, 'HID device did not close');
    });
  }
}

/** The promise's outcome, or the signal's reason, whichever comes first. */
export function orAbort<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) {
      abort();
      promise.catch(() => undefined);
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
