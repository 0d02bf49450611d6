/**
 * A receipt printer that keeps what it printed: the bytes as they came and a picture of the paper, named by time and number.
 * Paper is counted in receipts and kept over restarts.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import { renderReceipt } from '../escpos/picture.ts';
import type { ReceiptForm } from '../receipt.ts';
import type { PrintCompletion, PrinterStatus, ReceiptPrinter } from '../receipt-printer.ts';
import { StateFile } from '../state-file.ts';
import { Mechanism, type MechanismOptions } from './mechanism.ts';

const PrinterState = z.strictObject({
  version: z.literal(1),
  /** Receipts that can still be printed. */
  paper: z.int().nonnegative(),
  /** Receipts ever printed; names the next one. */
  printed: z.int().nonnegative(),
});

type PrinterState = z.infer<typeof PrinterState>;

const PAPER_FULL = 300;
const PAPER_LOW = 20;
/** Receipts kept; the oldest go when there are more. */
const RECEIPTS_KEPT_MAX = 500;
/** More than any receipt; a terminal that sends more is wrong. */
const BYTES_MAX = 1_000_000;
const PRINT_MS = 700;
const RECEIPT_NAME = /^\d{8}T\d{9}Z-\d{6}$/;

export interface PrintedReceipt {
  /** Name without ending: `<name>.escpos` and `<name>.png` lie in the receipts folder. */
  readonly name: string;
  readonly escposPath: string;
  readonly pngPath: string;
}

/** Where the paper goes, where it is not kept as files and pictures. */
export interface PaperTray {
  /** What receipts for this printer are made of. */
  readonly form: ReceiptForm;
  readonly keep: (bytes: Uint8Array) => void;
}

export class SimulatedReceiptPrinter extends Mechanism implements ReceiptPrinter {
  readonly form?: ReceiptForm;
  readonly #tray: PaperTray | null;
  readonly #file: StateFile<PrinterState>;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #options: MechanismOptions;

  constructor(dir: string, receiptsDir: string, options: MechanismOptions, tray: PaperTray | null = null) {
    const file = StateFile.open<PrinterState>(join(dir, 'printer.json'), PrinterState, () => ({
      version: 1,
      paper: PAPER_FULL,
      printed: 0,
    }));
    super('receipt-printer', options, () => {
      const paper = paperOf(file.value.paper, options);
      if (paper === 'out') return { state: 'hardwareError', problem: 'out of paper' };
      if (paper === 'jammed') return { state: 'hardwareError', problem: 'the paper is jammed' };
      return paper === 'low' ? { state: 'online', problem: 'paper is running low' } : null;
    });
    this.#file = file;
    this.#dir = receiptsDir;
    this.#tray = tray;
    if (tray) this.form = tray.form;
    this.#clock = options.clock;
    this.#options = options;
  }

  status(signal: AbortSignal): Promise<PrinterStatus> {
    return this.query(signal, () => ({ paper: paperOf(this.#file.value.paper, this.#options) }));
  }

  print(bytes: Uint8Array, signal: AbortSignal): Promise<PrintCompletion> {
    return this.command('print', signal, async () => {
      const { faults } = this.#options;
      const failed = (error: Extract<PrintCompletion, { outcome: 'failed' }>['error'], message: string) =>
        ({ outcome: 'failed', error, message }) as const;
      if (this.isGone()) return failed('noDevice', 'the receipt printer does not answer');
      if (bytes.length > BYTES_MAX)
        return failed('hardwareError', `${bytes.length} bytes overflow the printer’s memory`);
      if (this.#file.value.paper === 0 || faults.strikes(this.name, 'paper-out')) {
        return failed('paperOut', 'out of paper');
      }
      await this.step(PRINT_MS);
      if (this.isGone()) return failed('noDevice', 'the receipt printer does not answer');
      if (faults.strikes(this.name, 'paper-jam')) return failed('paperJammed', 'the paper jammed; the receipt is torn');
      await this.#keep(bytes);
      return { outcome: 'printed' };
    });
  }

  get paper(): number {
    return this.#file.value.paper;
  }

  setPaper(paper: number): void {
    this.#file.set({ ...this.#file.value, paper });
    this.healthMayHaveChanged();
  }

  /** Newest first. */
  async receipts(): Promise<PrintedReceipt[]> {
    const names = await readdir(this.#dir).catch(() => []);
    return names
      .filter((name) => name.endsWith('.png') && RECEIPT_NAME.test(name.slice(0, -4)))
      .map((name) => name.slice(0, -4))
      .sort()
      .reverse()
      .map((name) => this.#paths(name));
  }

  #paths(name: string): PrintedReceipt {
    return { name, escposPath: join(this.#dir, `${name}.escpos`), pngPath: join(this.#dir, `${name}.png`) };
  }

  /** The count first: after a power cut the paper is used up even if the picture was not kept. */
  async #keep(bytes: Uint8Array): Promise<void> {
    const number = this.#file.value.printed + 1;
    const time = new Intl.DateTimeFormat('en-CA', {
      timeZone: 'UTC',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hourCycle: 'h23',
    }).formatToParts(this.#clock.now());
    const part = (type: Intl.DateTimeFormatPartTypes) => time.find((one) => one.type === type)?.value ?? '';
    const stamp = `${part('year')}${part('month')}${part('day')}T${part('hour')}${part('minute')}${part('second')}${part('fractionalSecond')}Z`;
    const paths = this.#paths(`${stamp}-${String(number).padStart(6, '0')}`);
    this.#file.set({ ...this.#file.value, paper: this.#file.value.paper - 1, printed: number });
    this.healthMayHaveChanged();
    if (this.#tray) return this.#tray.keep(bytes);
    try {
      await mkdir(this.#dir, { recursive: true });
      await writeBeside(paths.escposPath, bytes);
      await writeBeside(paths.pngPath, await renderReceipt(bytes));
      for (const old of (await this.receipts()).slice(RECEIPTS_KEPT_MAX)) {
        await rm(old.escposPath, { force: true });
        await rm(old.pngPath, { force: true });
      }
    } catch (cause) {
      throw new TerminalError('DEVICE_FAILED', `receipt ${paths.name} can't be kept: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
}

function paperOf(paper: number, { faults }: MechanismOptions): PrinterStatus['paper'] {
  if (faults.stands('receipt-printer', 'paper-jam')) return 'jammed';
  if (paper === 0 || faults.stands('receipt-printer', 'paper-out')) return 'out';
  return paper <= PAPER_LOW ? 'low' : 'full';
}

async function writeBeside(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, bytes);
  await rename(`${path}.new`, path);
}
