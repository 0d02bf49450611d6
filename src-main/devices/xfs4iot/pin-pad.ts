/**
 * An encrypting PIN pad over XFS4IoT (2024-3: Keyboard, PinPad, KeyManagement). No digit leaves the device: key events carry none,
 * and what comes out is an ISO 9564-1 format 4 block under a working key that device and bank share and the terminal never sees.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { DeviceHealth } from '../device.ts';
import type { PinEntryCompletion, PinEntryRequest, PinPad } from '../pin-pad.ts';
import type { Xfs4IotService } from './client/index.ts';
import { type Failure, QUERY_MS_MAX, reasonOf, sentenceOf, XfsDriver } from './driver.ts';
import type { ServiceLink } from './service-link.ts';

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'] as const;
/** Key → whether it ends the entry. */
const FUNCTION_KEYS = { clear: false, backspace: false, cancel: true, enter: true } as const;
const MODES_OF_ENCRYPTION = new Set(['E', 'B', 'X']);

export interface XfsPinPadOptions {
  readonly clock: Clock;
  /** Name of the working key in the device; null: the first that fits. */
  readonly keyName: string | null;
}

export class XfsPinPad extends XfsDriver implements PinPad {
  readonly #keyName: string | null;
  #key: string | null = null;
  #keyProblem: string | null = null;
  #checking = false;

  constructor(link: ServiceLink, { clock, keyName }: XfsPinPadOptions) {
    super('pin-pad', link, clock);
    this.#keyName = keyName;
    link.onChange(() => this.#checkKey());
    this.#checkKey();
  }

  enterPin(
    request: PinEntryRequest,
    onDigits: (count: number) => void,
    signal: AbortSignal,
  ): Promise<PinEntryCompletion> {
    return this.inTurn(signal, async (limit) => {
      const service = this.needConnected();
      const key = this.#key ?? (await this.#findKey(limit));
      const activeKeys = await this.#activeKeys(limit);
      const order = {
        format: 'iso4' as const,
        key,
        customerData: accountDigits(request.boundTo),
        padding: 0,
        cryptoMethod: 'ecb' as const,
      };
      if (service.capabilities.pinPad?.setPinblockDataRequired === true) {
        await this.ask('PinPad.SetPinBlockData', order, limit);
      }
      const end = this.clock.monotonicMs() + request.timeoutMs;
      for (;;) {
        const timeoutMs = Math.ceil(end - this.clock.monotonicMs());
        if (timeoutMs < 1) return { outcome: 'timeout' };
        const how = await this.#entry(service, request, activeKeys, onDigits, timeoutMs, limit);
        if (how === 'again') continue;
        if (how !== 'entered') return { outcome: how };
        const { pinBlock } = await this.ask('PinPad.GetPinBlock', order, limit);
        const block = Buffer.from(pinBlock ?? '', 'base64');
        if (block.length !== ISO4_BYTES) {
          throw new TerminalError(
            'DEVICE_FAILED',
            `pin-pad: a format 4 block has ${ISO4_BYTES} bytes, not ${block.length}`,
          );
        }
        const name = Buffer.from(key, 'utf8').toString('base64url');
        return { outcome: 'entered', pinBlock: `iso4.${name}.${block.toString('base64url')}` };
      }
    });
  }

  protected override problem(): DeviceHealth | null {
    const service = this.needConnected();
    const encryption = service.status().keyManagement?.encryptionState;
    if (encryption !== undefined && encryption !== 'ready' && encryption !== 'initialized' && encryption !== 'busy') {
      return { state: 'hardwareError', problem: `the PIN pad cannot encrypt (${encryption}): load its keys` };
    }
    return this.#keyProblem === null ? null : { state: 'hardwareError', problem: this.#keyProblem };
  }

  /** One PinEntry. "again": it ended with too few digits, which devices that cannot ignore Enter do. */
  async #entry(
    service: Xfs4IotService,
    { digitsMin, digitsMax }: PinEntryRequest,
    activeKeys: Record<string, { terminate?: boolean }>,
    onDigits: (count: number) => void,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<'entered' | 'cancelled' | 'timeout' | 'again'> {
    let shown = 0;
    const show = (count: number) => {
      if (count === shown) return;
      shown = count;
      onDigits(count);
    };
    const answer = await service.command(
      'Keyboard.PinEntry',
      { minLen: digitsMin, maxLen: digitsMax, autoEnd: false, activeKeys },
      {
        timeoutMs,
        signal,
        onEvent: (event) => {
          if (event.name !== 'Keyboard.KeyEvent') return;
          // A digit comes without its name; a function key with.
          const { digit } = event.payload;
          if (digit === undefined) show(Math.min(shown + 1, digitsMax));
          else if (digit === 'backspace') show(Math.max(shown - 1, 0));
          else if (digit === 'clear') show(0);
        },
      },
    );
    if (answer.code === 'success') {
      const { digits, completion } = answer.payload;
      if (completion === 'cancel') return 'cancelled';
      if (digits < digitsMin || digits > digitsMax) {
        show(0);
        await this.#forget(service);
        return 'again';
      }
      show(digits);
      return 'entered';
    }
    // The digits of an entry that ended otherwise stay in the pad until they are wiped (13.2).
    await this.#forget(service);
    const failure = answer as Failure;
    switch (reasonOf(failure)) {
      case 'timeOut':
      case 'entryTimeout':
        return 'timeout';
      case 'canceled':
        signal.throwIfAborted();
        return 'cancelled';
      case 'connectionLost':
      case 'noAnswer':
      case 'notSent':
        throw this.unavailable(`went away during the PIN entry: ${failure.code}`);
      default:
        throw new TerminalError('DEVICE_FAILED', `pin-pad: Keyboard.PinEntry was answered ${sentenceOf(failure)}`);
    }
  }

  /** Best effort: a pad that does not know the command empties its buffer at the next entry. */
  async #forget(service: Xfs4IotService): Promise<void> {
    if (!service.supports('PinPad.MaintainPin')) return;
    const options = { timeoutMs: QUERY_MS_MAX, signal: this.closed };
    await service.command('PinPad.MaintainPin', { maintainPIN: false }, options);
  }

  /** Keys of the pad's own layout only: one that it does not have makes the entry fail. */
  async #activeKeys(signal: AbortSignal): Promise<Record<string, { terminate?: boolean }>> {
    const { layout } = await this.ask('Keyboard.GetLayout', {}, signal);
    const there = new Set((layout?.pin ?? []).flatMap(({ keys }) => (keys ?? []).map(({ key }) => key)));
    const known = (key: string) => there.size === 0 || there.has(key);
    return Object.fromEntries([
      ...DIGITS.filter(known).map((key) => [key, {}]),
      ...Object.entries(FUNCTION_KEYS).flatMap(([key, terminate]) => (known(key) ? [[key, { terminate }]] : [])),
    ]);
  }

  async #findKey(signal: AbortSignal): Promise<string> {
    const service = this.needConnected();
    try {
      if (service.capabilities.pinPad?.pinFormats?.iso4 !== true) {
        throw new TerminalError('DEVICE_FAILED', 'the PIN pad makes no ISO 9564-1 format 4 blocks');
      }
      const { keyDetails } = await this.ask('KeyManagement.GetKeyDetail', {}, signal);
      const fitting = Object.entries(keyDetails ?? {}).filter(
        ([name, { loaded, keyBlockInfo }]) =>
          (this.#keyName === null || name === this.#keyName) &&
          loaded === 'yes' &&
          keyBlockInfo?.keyUsage === 'P0' &&
          keyBlockInfo.algorithm === 'A' &&
          MODES_OF_ENCRYPTION.has(keyBlockInfo.modeOfUse ?? 'E'),
      );
      const found = fitting.map(([name]) => name).sort()[0];
      if (found === undefined) {
        const which = this.#keyName === null ? 'no AES key for PINs (usage P0)' : `not the PIN key "${this.#keyName}"`;
        throw new TerminalError('DEVICE_FAILED', `the PIN pad has ${which}: load it`);
      }
      this.#key = found;
      this.#keyProblem = null;
      return found;
    } catch (error) {
      if (error instanceof TerminalError && error.code === 'DEVICE_FAILED') this.#keyProblem = error.message;
      throw error;
    } finally {
      this.healthMayHaveChanged();
    }
  }

  /** Keys can be gone when a device comes back: its health is not told before they are looked up. */
  #checkKey(): void {
    if (this.connected() === null) {
      this.#key = null;
      this.#checking = false;
      return;
    }
    if (this.#checking) return;
    this.#checking = true;
    this.#findKey(this.closed).catch(() => undefined);
  }
}

const ISO4_BYTES = 16;
const ACCOUNT_DIGITS = 19;

/**
 * The account digits of a format 4 block. The format enciphers an account number in, so that a block copied to another account
 * opens to nonsense. Here no card has a number: the digits are made of what the block is bound to (transaction or person): the
 * first 8 bytes of its SHA-256, as an unsigned number, modulo 10^19. src-bank/iso4.ts makes the same.
 */
export function accountDigits(boundTo: string): string {
  const first = createHash('sha256').update(boundTo, 'utf8').digest().readBigUInt64BE(0);
  return (first % 10n ** BigInt(ACCOUNT_DIGITS)).toString().padStart(ACCOUNT_DIGITS, '0');
}
