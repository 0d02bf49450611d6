/**
 * What a technician can try on each device, without a risk to anybody: no test moves a note, opens a drawer, keeps a picture or
 * learns a digit. A test of something a person has to do (press keys, show a code) says so first and waits a bounded time.
 */
import { exportJWK, generateKeyPair } from 'jose';
import { P256PublicJwk } from '../../src-contract/bank-api.ts';
import { type Chance, type Clock, deadline } from '../clock.ts';
import type { CashUnit } from '../devices/cash-dispenser.ts';
import type { Devices } from '../devices/devices.ts';
import type { LightPosition } from '../devices/lights.ts';
import { encodeTestSlip } from '../devices/test-slip.ts';
import type { Observation } from '../vision/observation.ts';
import type { DeviceKey } from './device-health.ts';

export interface Words {
  readonly ja: string;
  readonly en: string;
}

export interface TestResult {
  readonly passed: boolean;
  /** What was seen, for the technician. */
  readonly said: Words;
}

export interface TestTools {
  readonly devices: Devices;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly terminalName: string;
  /** Turns the camera on while anyone watches; null where no screen runs that has one. */
  readonly watch: ((listener: (observation: Observation) => void) => () => void) | null;
}

/** A person has this long to press keys or show a code, ms. */
const HANDS_MS_MAX = 20_000;
/** The longest any test takes, ms. */
const TEST_MS_MAX = 30_000;
const FLASH_MS = 800;
/** 80 mm paper, for a printer that does not say. */
const PAPER_DOTS = 576;
const CAMERA_MS = 3_000;
/** More is no label of goods; what is on a code may be somebody's. */
const SHOWN_CHARS_MAX = 20;

const POSITIONS: readonly LightPosition[] = ['camera', 'pinPad', 'cashInput', 'cashOutput', 'receipt', 'status'];
/** The light that stands beside a device. */
const LIGHT_OF: Partial<Record<DeviceKey, LightPosition>> = {
  camera: 'camera',
  pinPad: 'pinPad',
  cashAcceptor: 'cashInput',
  cashDispenser: 'cashOutput',
  receiptPrinter: 'receipt',
};

/** What the technician has to do or will see. */
export const TEST_HINTS: Readonly<Record<DeviceKey, Words>> = {
  camera: {
    ja: 'カメラを3秒間動かし、画像の大きさと枚数を調べます。画像は保存しません。',
    en: 'Runs the camera for 3 seconds and counts its frames. No picture is kept.',
  },
  pinPad: {
    ja: '20秒以内に4つの数字と確認キーを押してください。数字は記録されません。',
    en: 'Press four digits and Enter within 20 seconds. Which digits is not recorded.',
  },
  cashDispenser: {
    ja: '状態とシャッターを調べます。紙幣は動きません。',
    en: 'Asks for state and shutter. No note moves.',
  },
  cashAcceptor: {
    ja: '状態と投入口を調べます。紙幣は動きません。',
    en: 'Asks for state and input. No note moves.',
  },
  receiptPrinter: {
    ja: 'テスト印字を1枚印刷します。',
    en: 'Prints one test slip.',
  },
  barcodeScanner: {
    ja: '20秒以内にバーコードを読み取らせてください。',
    en: 'Show a barcode to the scanner within 20 seconds.',
  },
  lights: {
    ja: '案内灯を順に点滅させます。',
    en: 'Flashes every guide light, one after the other.',
  },
};

const passed = (ja: string, en: string): TestResult => ({ passed: true, said: { ja, en } });
const failed = (ja: string, en: string): TestResult => ({ passed: false, said: { ja, en } });
const absent = () => failed('この端末にはありません。', 'This terminal has none.');

/** Tests one device. Resolves with what was seen, a failure too; rejects only with the signal's reason. */
export async function testDevice(key: DeviceKey, tools: TestTools, signal: AbortSignal): Promise<TestResult> {
  using limit = deadline(tools.clock, TEST_MS_MAX, signal);
  try {
    const result = await TESTS[key](tools, limit.signal);
    const health = key === 'camera' ? null : tools.devices[key]?.health();
    if (!result.passed || !health || health.state === 'online') return result;
    // It does what it was asked, and still knows why it must not be used.
    const why = health.problem ?? health.state;
    return failed(`${why}。それ以外：${result.said.ja}`, `${why}. Apart from that: ${result.said.en}`);
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    return failed(`応答がありません：${why}`, `It does not answer: ${why}`);
  }
}

/** Shows which device it is, by the guide light beside it. */
export async function identifyDevice(key: DeviceKey, tools: TestTools, signal: AbortSignal): Promise<TestResult> {
  const { lights } = tools.devices;
  const position = LIGHT_OF[key];
  if (key === 'lights') return await testDevice(key, tools, signal);
  if (!lights || !position) {
    return failed('この装置を示す案内灯がありません。', 'No guide light stands beside this device.');
  }
  const dark = await flash(tools, [position], signal);
  return dark.length === 0
    ? passed('隣の案内灯が点滅しました。', `The guide light "${position}" beside it flashed.`)
    : failed('案内灯が応答しません。', `The guide light "${position}" does not answer.`);
}

const TESTS: Readonly<Record<DeviceKey, (tools: TestTools, signal: AbortSignal) => Promise<TestResult>>> = {
  async lights(tools, signal) {
    if (!tools.devices.lights) return absent();
    const dark = await flash(tools, POSITIONS, signal);
    if (dark.length === 0)
      return passed('すべての案内灯に点滅を指示しました。', 'Every guide light was told to flash.');
    return failed(`応答しない案内灯：${dark.join('、')}`, `No answer from: ${dark.join(', ')}`);
  },

  async receiptPrinter({ devices, clock, terminalName }, signal) {
    if (!devices.receiptPrinter) return absent();
    const completion = await devices.receiptPrinter.print(
      await encodeTestSlip(terminalName, clock.now(), devices.receiptPrinter.form?.widthDots ?? PAPER_DOTS),
      signal,
    );
    if (completion.outcome === 'failed') {
      return failed(`印字できません：${completion.message}`, `It did not print: ${completion.message}`);
    }
    return passed(
      'テスト印字を1枚印刷しました。文字と線が欠けていないか確認してください。',
      'One test slip was printed. See that no text or line is missing.',
    );
  },

  async pinPad({ devices, chance }, signal) {
    if (!devices.pinPad) return absent();
    let digits = 0;
    // A key of this test alone: what the pad encrypts for it nobody can open, for the private half is dropped here.
    const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
    const completion = await devices.pinPad.enterPin(
      {
        digitsMin: 4,
        digitsMax: 12,
        encryptFor: { ...P256PublicJwk.parse(await exportJWK(publicKey)), kid: 'device-test' },
        boundTo: chance.id(),
        timeoutMs: HANDS_MS_MAX,
      },
      (count) => {
        digits = Math.max(digits, count);
      },
      signal,
    );
    switch (completion.outcome) {
      case 'entered':
        return passed(`数字${digits}個と確認キーが届きました。`, `${digits} digits and Enter arrived.`);
      case 'cancelled':
        return passed(`数字${digits}個と取消キーが届きました。`, `${digits} digits and Cancel arrived.`);
      case 'timeout':
        return failed(
          `20秒以内に入力が終わりませんでした（届いた数字${digits}個）。`,
          `The entry did not end within 20 seconds; ${digits} digits arrived.`,
        );
    }
  },

  async barcodeScanner({ devices, clock }, signal) {
    const { barcodeScanner } = devices;
    if (!barcodeScanner) return absent();
    const read = Promise.withResolvers<TestResult>();
    const stops = [
      barcodeScanner.onBarcode(({ symbology, text }) => {
        const shown = text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
        read.resolve(
          passed(
            `読み取りました：${symbology}、${text.length}文字（${shown}）`,
            `Read: ${symbology}, ${text.length} characters (${shown})`,
          ),
        );
      }),
      clock.after(HANDS_MS_MAX, () =>
        read.resolve(failed('20秒以内に何も読み取られませんでした。', 'Nothing was read within 20 seconds.')),
      ),
    ];
    const abort = () => read.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await read.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      for (const stop of stops) stop();
    }
  },

  async camera({ watch, clock }, signal) {
    if (!watch) return failed('端末が動いている間だけ調べられます。', 'It can only be tested while the terminal runs.');
    let frames = 0;
    let size = '';
    const stop = watch((observation) => {
      frames += 1;
      size = `${observation.width}×${observation.height}`;
    });
    try {
      await clock.sleep(CAMERA_MS, signal);
    } finally {
      stop();
    }
    if (frames === 0) return failed('3秒間に画像が届きませんでした。', 'No frame arrived within 3 seconds.');
    return passed(`3秒間に${size}の画像が${frames}枚届きました。`, `${frames} frames of ${size} in 3 seconds.`);
  },

  async cashDispenser({ devices }, signal) {
    if (!devices.cashDispenser) return absent();
    const { units, shutter, stacker, outputPosition } = await devices.cashDispenser.status(signal);
    const fine = shutter === 'closed' && stacker === 'empty' && outputPosition === 'empty' && !units.some(isBroken);
    return verdict(fine, {
      ja: `シャッター${JA[shutter]}、スタッカー${JA[stacker]}、出金口${JA[outputPosition]}、${unitWords(units).ja}`,
      en: `shutter ${shutter}, stacker ${EN[stacker]}, output ${EN[outputPosition]}, ${unitWords(units).en}`,
    });
  },

  async cashAcceptor({ devices }, signal) {
    if (!devices.cashAcceptor) return absent();
    const { units, escrow, inputPosition } = await devices.cashAcceptor.status(signal);
    const held = escrow.reduce((sum, { count }) => sum + count, 0);
    const fine = inputPosition === 'empty' && held === 0 && !units.some(isBroken);
    return verdict(fine, {
      ja: `入金口${JA[inputPosition]}、一時保留${held}枚、${unitWords(units).ja}`,
      en: `input ${EN[inputPosition]}, ${held} notes in escrow, ${unitWords(units).en}`,
    });
  },
};

const verdict = (fine: boolean, { ja, en }: Words) =>
  fine ? passed(`正常：${ja}`, `All well: ${en}`) : failed(`要確認：${ja}`, `Look at: ${en}`);

type Place = 'empty' | 'notEmpty' | 'unknown';
const EN: Readonly<Record<Place, string>> = { empty: 'empty', notEmpty: 'not empty', unknown: 'unknown' };
/** As the service page words them. */
const JA: Readonly<Record<Place | 'closed' | 'open' | 'jammed' | 'inoperative' | 'missing', string>> = {
  empty: '空',
  notEmpty: '紙幣あり',
  unknown: '不明',
  closed: '閉',
  open: '開',
  jammed: '詰まり',
  inoperative: '使用不可',
  missing: '未装着',
};

type Broken = CashUnit & { readonly state: 'inoperative' | 'missing' };
const isBroken = (unit: CashUnit): unit is Broken => unit.state === 'inoperative' || unit.state === 'missing';

function unitWords(units: readonly CashUnit[]): Words {
  const broken = units.filter(isBroken);
  if (broken.length === 0) return { ja: `カセット${units.length}個`, en: `${units.length} units` };
  return {
    ja: broken.map(({ id, state }) => `${id} ${JA[state]}`).join('、'),
    en: broken.map(({ id, state }) => `${id} ${state}`).join(', '),
  };
}

/** Flashes one light after the other. Answers those that did not take the order. */
async function flash(
  { devices, clock }: TestTools,
  positions: readonly LightPosition[],
  signal: AbortSignal,
): Promise<LightPosition[]> {
  const dark: LightPosition[] = [];
  for (const position of positions) {
    try {
      await devices.lights?.set(position, 'slowFlash');
      await clock.sleep(FLASH_MS, signal);
    } catch {
      signal.throwIfAborted();
      dark.push(position);
    } finally {
      await devices.lights?.set(position, 'off').catch(() => undefined);
    }
  }
  return dark;
}
