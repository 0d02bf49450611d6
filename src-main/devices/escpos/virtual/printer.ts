/**
 * A receipt printer made of software: obeys ESC/POS, answers as a TM printer would, keeps paper, cover, cutter and drawer, and can be made to fail
 * in every way that a real one does. Real-time commands are found wherever they stand, as soon as their bytes arrive, and all others
 * in their order, as fast as it prints: with the cover open it still answers, and what was sent waits in its memory.
 */
import type { Clock } from '../../../clock.ts';
import { Paper, type Sheet } from '../paper.ts';
import { type Command, CommandParser } from '../parser.ts';
import { asbBlock, gsAnswer, type PrinterState, realTimeAnswer } from './answers.ts';
import { RealTimeScanner } from './real-time.ts';

export interface VirtualPrinterOptions {
  readonly clock: Clock;
  readonly widthDots?: number;
  readonly maker?: string;
  readonly model?: string;
  /** Answers GS ( H; cheap printers step over it. Default true. */
  readonly processId?: boolean;
  /** Dots of paper a second; 0 (default) prints in no time. A brisk printer has 1,600 (200 mm/s). */
  readonly dotsPerSecond?: number;
  /** Size of its receive buffer. When it is full, the printer takes no more. */
  readonly bufferBytes?: number;
  readonly onReceipt?: (receipt: VirtualReceipt) => void;
  /** A person would see or hear this. */
  readonly onEvent?: (event: string) => void;
}

export interface VirtualReceipt {
  /** From 1. */
  readonly number: number;
  readonly sheet: Sheet;
  /** Commands it did not know, and what it could not draw. */
  readonly problems: readonly string[];
}

/** A host at the other end of the wire. */
export interface VirtualHost {
  /** Bytes from the printer. */
  receive(bytes: Uint8Array): void;
  /** The printer is gone: unplugged or switched off. */
  gone(): void;
}

/** A receipt longer than this is torn off, whatever the host meant; half of what `Paper` bears. */
const TEAR_AT_DOTS = 10_000;
const PAPER_LOW_DOTS = 8_000;
const ROLL_DOTS = 600_000;
const DRAWER_LOW_LEVEL_OPEN = true;

const NEVER = { at: Number.POSITIVE_INFINITY, what: 'power' } as const;

export class VirtualPrinter {
  readonly #options: Required<Omit<VirtualPrinterOptions, 'onReceipt' | 'onEvent'>> & VirtualPrinterOptions;
  readonly #hosts = new Set<VirtualHost>();
  readonly #room = new Set<() => void>();
  readonly #power = new AbortController();
  #parser = new CommandParser();
  #scanner = this.#newScanner();
  #paper: Paper;
  #problemsTold = 0;
  #asbMask = 0;
  #working = false;
  #state: PrinterState = {
    paperDots: ROLL_DOTS,
    paperLowDots: PAPER_LOW_DOTS,
    coverOpen: false,
    cutterJammed: false,
    feeding: false,
    tooHot: false,
    broken: false,
    drawerPinHigh: DRAWER_LOW_LEVEL_OPEN,
  };
  #lastAsb = '';
  #jamAtNextCut = false;
  /** What happens after so many bytes in all. */
  #break: { readonly at: number; readonly what: 'power' | 'wire' } = NEVER;
  #drawerStuck = false;
  #received = 0;
  /** Answers nothing at all, and prints nothing: a network that swallows everything. */
  silent = false;
  /** Bytes in place of answers, as with a wrong baud rate. */
  garbage = false;
  slowFactor = 1;
  receipts = 0;
  drawerPulses = 0;

  constructor(options: VirtualPrinterOptions) {
    this.#options = {
      widthDots: 576,
      maker: 'KAOPASS',
      model: 'Virtual printer',
      processId: true,
      dotsPerSecond: 0,
      bufferBytes: 65_536,
      ...options,
    };
    this.#paper = new Paper(this.#options.widthDots);
  }

  /** @returns how to send to it, and how to hang up. `send` answers false when the buffer is full: call again at `onRoom`. */
  connect(host: VirtualHost): { send(bytes: Uint8Array): boolean; hangUp(): void } {
    this.#hosts.add(host);
    return {
      send: (bytes) => this.#receive(bytes),
      hangUp: () => {
        this.#hosts.delete(host);
      },
    };
  }

  get full(): boolean {
    return this.#parser.buffered >= this.#options.bufferBytes;
  }

  onRoom(listener: () => void): () => void {
    this.#room.add(listener);
    return () => this.#room.delete(listener);
  }

  /** What was printed since the last cut. */
  get sheet(): Sheet {
    return this.#paper.sheet;
  }

  get state(): PrinterState {
    return this.#state;
  }

  /** Puts a full roll in, or takes paper out until so many dots are left (8 a millimetre). */
  setPaper(dots: number = ROLL_DOTS): void {
    this.#change({ paperDots: dots });
  }

  setCover(open: boolean): void {
    // Opening the cover is how a person frees the cutter.
    this.#change(open ? { coverOpen: true, cutterJammed: false } : { coverOpen: false });
  }

  jamCutter(): void {
    this.#jamAtNextCut = true;
  }

  setTooHot(tooHot: boolean): void {
    this.#change({ tooHot });
  }

  setBroken(broken: boolean): void {
    this.#change({ broken });
  }

  setFeeding(feeding: boolean): void {
    this.#change({ feeding });
  }

  setDrawer(open: boolean): void {
    this.#change({ drawerPinHigh: open !== DRAWER_LOW_LEVEL_OPEN });
  }

  stickDrawer(stuck: boolean): void {
    this.#drawerStuck = stuck;
  }

  /** After so many bytes more, somebody pulls the power plug, or the data cable. */
  breakAfterBytes(bytes: number, what: 'power' | 'wire'): void {
    this.#break = { at: this.#received + bytes, what };
  }

  /** Pulls the data cable: what it was told so far stays in its memory. It hears again from whoever connects next. */
  cutWire(): void {
    this.#break = NEVER;
    for (const host of [...this.#hosts]) host.gone();
    this.#hosts.clear();
  }

  /** Off and on again: forgets everything but what is mechanical, and every connection ends. */
  powerCycle(): void {
    this.cutWire();
    this.forget();
  }

  /** Off and on again at the end of a serial cable, which does not notice. */
  forget(): void {
    this.#parser = new CommandParser();
    this.#scanner = this.#newScanner();
    this.#paper = new Paper(this.#options.widthDots);
    this.#problemsTold = 0;
    this.#asbMask = 0;
    this.#tellRoom();
  }

  close(): void {
    this.#power.abort();
    this.powerCycle();
  }

  #receive(bytes: Uint8Array): boolean {
    const before = this.#received;
    this.#received += bytes.length;
    const { at, what } = this.#break;
    const broken = this.#received >= at;
    const taken = broken ? bytes.subarray(0, Math.max(at - before, 0)) : bytes;
    if (!this.silent) {
      this.#parser.push(taken);
      this.#scanner.push(taken);
      this.#kick();
    }
    if (broken) {
      this.#event(`lost its ${what} in the middle`);
      if (what === 'power') this.powerCycle();
      else this.cutWire();
    }
    return !this.full;
  }

  #newScanner(): RealTimeScanner {
    return new RealTimeScanner((name, params) => this.#realTime(name, params));
  }

  #realTime(name: 'DLE EOT' | 'DLE ENQ' | 'DLE DC4', params: readonly number[]): void {
    const [n = 0, m = 0] = params;
    if (name === 'DLE EOT') {
      const byte = realTimeAnswer(this.#state, n);
      if (byte !== null) this.#answer([byte]);
    } else if (name === 'DLE ENQ' && n === 2) this.#clear();
    else if (name === 'DLE DC4' && n === 1) this.#pulse(m);
    else if (name === 'DLE DC4' && n === 8 && params.join() === '8,1,3,20,1,6,2,8') {
      this.#clear();
      this.#answer([0x37, 0x25, 0]);
    }
  }

  #clear(): void {
    this.#parser.clear();
    this.#paper.clear();
    this.#tellRoom();
  }

  #ready(): boolean {
    const { paperDots, coverOpen, cutterJammed, feeding, tooHot, broken } = this.#state;
    return paperDots > 0 && !coverOpen && !cutterJammed && !feeding && !tooHot && !broken;
  }

  /** Obeys what has come, as long as it can. Only one of these runs. */
  #kick(): void {
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    const { signal } = this.#power;
    this.#working = true;
    // Ends in the same breath in which it finds nothing more to do: what arrives after that begins it anew.
    try {
      while (this.#ready() && !signal.aborted) {
        const parser = this.#parser;
        const command = parser.next();
        if (!command) return;
        const { dotsPerSecond, clock } = this.#options;
        const dots = this.#print(command);
        if (dots > 0 && dotsPerSecond > 0) {
          await clock.sleep((dots / dotsPerSecond) * 1_000 * this.slowFactor, signal).catch(() => undefined);
        }
        if (parser !== this.#parser) continue;
        this.#change({ paperDots: Math.max(this.#state.paperDots - dots, 0) });
        this.#answerInOrder(command);
        this.#tellRoom();
      }
    } finally {
      this.#working = false;
    }
  }

  /** @returns how far the paper moved, in dots. */
  #print(command: Command): number {
    const before = this.#paper.y;
    this.#paper.apply(command);
    const moved = this.#paper.y - before;
    const cut = command.name === 'GS V' || command.name === 'ESC i' || command.name === 'ESC m';
    if (cut && this.#jamAtNextCut) {
      this.#jamAtNextCut = false;
      this.#event('the cutter is stuck');
      this.#change({ cutterJammed: true });
    } else if (cut || this.#paper.y > TEAR_AT_DOTS) this.#tear();
    return moved;
  }

  #tear(): void {
    const sheet = this.#paper.tear();
    this.receipts += 1;
    const problems = this.#paper.problems.slice(this.#problemsTold);
    this.#problemsTold = this.#paper.problems.length;
    this.#options.onReceipt?.({ number: this.receipts, sheet, problems });
  }

  /** Commands that are answered when their turn comes. */
  #answerInOrder({ name, params }: Command): void {
    const { maker, model, processId } = this.#options;
    switch (name) {
      case 'ESC @':
        // "Effective until ESC @ is executed", says the reference of GS a.
        this.#asbMask = 0;
        break;
      case 'ESC p':
        this.#pulse(params[0]! % 48);
        break;
      case 'GS a':
        this.#asbMask = params[0]!;
        this.#lastAsb = '';
        this.#tellAsb();
        break;
      case 'GS r':
      case 'GS I': {
        const answer = gsAnswer(this.#state, name, params[0]!, { maker, model });
        if (answer) this.#answer(answer);
        break;
      }
      case 'GS ( H':
        if (processId && params[2] === 0x30 && params.length === 8) this.#answer([0x37, 0x22, ...params.slice(4), 0]);
        break;
    }
  }

  #pulse(connector: number): void {
    this.drawerPulses += 1;
    this.#event(`drawer pulse on pin ${connector === 0 ? 2 : 5}`);
    if (!this.#drawerStuck) this.setDrawer(true);
  }

  #change(change: Partial<PrinterState>): void {
    const readyBefore = this.#ready();
    this.#state = { ...this.#state, ...change };
    this.#tellAsb();
    if (!readyBefore && this.#ready()) this.#kick();
  }

  #tellAsb(): void {
    if (this.#asbMask === 0) return;
    const block = asbBlock(this.#state, this.#ready());
    // Told on change, and only of what the host asked to hear of; a block is always whole.
    if (block.join() === this.#lastAsb) return;
    this.#lastAsb = block.join();
    this.#answer(block);
  }

  #answer(bytes: readonly number[]): void {
    if (this.silent) return;
    const sent = Uint8Array.from(this.garbage ? bytes.map((byte) => (byte ^ 0x5a) | 0x80) : bytes);
    for (const host of [...this.#hosts]) host.receive(sent);
  }

  #tellRoom(): void {
    if (this.full) return;
    for (const listener of [...this.#room]) listener();
  }

  #event(event: string): void {
    this.#options.onEvent?.(event);
  }
}
