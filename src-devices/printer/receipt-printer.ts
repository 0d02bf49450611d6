/**
 * A receipt printer with a cutter and a slot (XFS4IoT 2024-3, Printer): raw bytes go onto the paper, ControlMedia gives it out, and
 * it lies there until it is taken. Paper, a jam and the receipt in the slot survive a restart.
 */
import { type CommandContext, done, ended, failed, type Outcome } from '../command.ts';
import { type Runtime, Service } from '../service.ts';
import type { StateFile } from '../state-file.ts';
import { ejectJam, paperJam, paperLow, paperOut } from './printer-faults.ts';
import { CONTROL, type MediaControl, printerInterface } from './printer-interface.ts';
import { mediaOf, PAPER_FULL, PAPER_LOW, type PrinterState, paperOf, thresholdOf } from './printer-state.ts';
import type { Receipts } from './receipts.ts';

/** More than any receipt; a client that prints more is wrong. */
const BYTES_MAX = 1_000_000;
const PRINT_MS = 600;
const EJECT_MS = 300;

export interface PrinterParts {
  readonly runtime: Runtime;
  readonly state: StateFile<PrinterState>;
  readonly receipts: Receipts;
}

export class ReceiptPrinter {
  readonly service: Service;
  readonly receipts: Receipts;
  readonly #runtime: Runtime;
  readonly #file: StateFile<PrinterState>;

  constructor({ runtime, state, receipts }: PrinterParts) {
    this.#runtime = runtime;
    this.#file = state;
    this.receipts = receipts;
    this.service = new Service(runtime, () => ({
      name: 'ReceiptPrinter1',
      model: { modelName: 'RP-80', serialNumber: 'RP80-0001', modelDescription: 'Thermal receipt printer, 80 mm' },
      status: () => ({
        printer: {
          media: mediaOf(this.#file.value),
          paper: { upper: paperOf(this.#file.value) },
          paperType: { upper: 'single' },
        },
      }),
      interfaces: [
        printerInterface({
          printRaw: (bytes) => this.#printRaw(bytes),
          controlMedia: (control, context) => this.#controlMedia(control, context),
          retract: () => this.#retract(),
          reset: (expel) => this.#reset(expel),
          replenished: () => {
            this.setPaper(PAPER_FULL);
            return done();
          },
        }),
      ],
    }));
  }

  state(): PrinterState & { readonly threshold: ReturnType<typeof paperOf> } {
    return { ...this.#file.value, threshold: paperOf(this.#file.value) };
  }

  /** A hand at the slot. False when nothing is there. */
  take(): boolean {
    if (this.#file.value.atExit === null) return false;
    this.#set({ atExit: null });
    this.service.unsolicited('Printer.MediaTakenEvent');
    return true;
  }

  /** A hand at the roll: how many receipts are left on it. */
  setPaper(paper: number): void {
    const before = thresholdOf(this.#file.value.paper);
    this.#set({ paper });
    const threshold = thresholdOf(paper);
    if (threshold !== before)
      this.service.unsolicited('Printer.PaperThresholdEvent', { paperSource: 'upper', threshold });
  }

  /** A hand at the mechanism: pulls the jammed paper out. */
  clearJam(): void {
    this.#set({ jammed: false, printing: null });
  }

  async #printRaw(bytes: Uint8Array): Promise<Outcome> {
    const { faults } = this.#runtime;
    if (bytes.length === 0) return ended('invalidData', 'data: is empty');
    if (bytes.length > BYTES_MAX) return ended('invalidData', `data: more than ${BYTES_MAX} bytes`);
    if (this.#file.value.jammed) return failed('paperJammed');
    if (faults.strikes(paperOut)) this.setPaper(0);
    if (this.#file.value.paper === 0) return failed('paperOut');
    await this.#runtime.act(PRINT_MS);
    const name = this.#begin();
    await this.receipts.append(name, bytes);
    if (faults.strikes(paperJam)) {
      this.#set({ jammed: true });
      return failed('paperJammed', 'the paper jammed; the receipt is torn');
    }
    if (faults.strikes(paperLow)) this.setPaper(Math.min(this.#file.value.paper, PAPER_LOW));
    return done();
  }

  /** The receipt on the print head, or a new one. Each job uses up its paper before it is printed, whatever comes. */
  #begin(): string {
    const { printing, begun, paper } = this.#file.value;
    const name = printing ?? this.receipts.nameOf(begun + 1);
    if (printing === null) this.#set({ begun: begun + 1, printing: name });
    this.setPaper(paper - 1);
    return name;
  }

  async #controlMedia(control: MediaControl, context: CommandContext): Promise<Outcome> {
    const { move, turnPage, ...actions } = control;
    const asked = [move, turnPage, ...Object.keys(actions).filter((name) => actions[name as keyof typeof actions])];
    const wanted = asked.filter((name): name is string => typeof name === 'string');
    if (wanted.length === 0) return ended('invalidData', 'mediaControl: asks for nothing');
    const strange = wanted.filter((name) => !CONTROL.has(name));
    if (strange.length > 0) return ended('unsupportedData', `mediaControl: this printer has no ${strange.join(', ')}`);
    if (this.#file.value.jammed) return failed('mediaJammed');
    if (this.#file.value.printing === null) return failed('noMediaPresent');
    if (!move) return done();
    await this.#runtime.act(EJECT_MS);
    if (this.#runtime.faults.strikes(ejectJam)) {
      this.#set({ jammed: true });
      return failed('mediaJammed', 'the receipt jammed on its way out');
    }
    const name = this.#file.value.printing;
    // One that still lies in the slot is pushed out by the next.
    this.#set({ printing: null, atExit: move === 'eject' ? name : null });
    await this.receipts.finish(name);
    if (move === 'eject') context.event('Printer.MediaPresentedEvent', { wadIndex: 1, totalWads: 1 });
    return done();
  }

  async #retract(): Promise<Outcome> {
    const { jammed, atExit, retracted } = this.#file.value;
    if (jammed) return failed('mediaJammed');
    if (atExit === null) return failed('noMediaPresent');
    await this.#runtime.act(EJECT_MS);
    this.#set({ atExit: null, retracted: retracted + 1 });
    return done({ result: 'transport' });
  }

  /** Clears what is on the print head: to the slot, or out. */
  async #reset(expel: boolean): Promise<Outcome> {
    await this.#runtime.act(EJECT_MS);
    const { printing, atExit } = this.#file.value;
    if (printing !== null) await this.receipts.finish(printing);
    this.#set({ jammed: false, printing: null, atExit: expel ? null : (printing ?? atExit) });
    if (printing !== null) {
      const position = expel ? 'expelled' : 'present';
      this.service.unsolicited('Printer.MediaDetectedEvent', { position });
    }
    return done();
  }

  #set(change: Partial<PrinterState>): void {
    this.#file.set({ ...this.#file.value, ...change });
    this.service.changed();
  }
}
