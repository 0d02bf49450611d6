/**
 * A receipt printer that speaks ESC/POS (Epson ESC/POS Command Reference; the TM series and what follows it). It keeps one connection
 * open, because a status that is asked for only when somebody prints comes too late, and makes a new one when it ends. What
 * it survives: a printer that is switched off or unplugged at any moment, that answers late, nothing or garbage, whose network goes
 * silent without a word, that runs out of paper in the middle, and one that supports less than Epson's.
 */
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { DeviceHealth } from '../device.ts';
import type { ReceiptForm } from '../receipt.ts';
import type { PrintCompletion, PrinterStatus, ReceiptPrinter } from '../receipt-printer.ts';
import { ASK_MAKER, ASK_MODEL, ASK_PAPER, CLEAR_BUFFERS, CUT_OFF, withStatusBack } from './commands.ts';
import { type Confirmation, type JobLog, printJob } from './job.ts';
import { LineError, type PrinterLine } from './line.ts';
import { PrinterLink } from './link.ts';
import { type Condition, obstacle, UNKNOWN } from './status.ts';
import { Turns } from './turns.ts';

/** Between two tries to connect, ms, doubled from the first to the last. It never stops trying: a printer may be off all night. */
const AGAIN_MS_MIN = 500;
const AGAIN_MS_MAX = 15_000;
/** How long a print waits for a printer that is just connecting, ms. */
const CONNECTING_MS_MAX = 4_000;
/** Between two questions to an idle printer, ms. Also keeps Epson's network interface from closing an idle connection (90 s). */
const LOOK_EVERY_MS = 5_000;
/** Questions in a row left open by a printer that had answered before: then the line is dead, whatever TCP believes. */
const SILENCES_MAX = 2;
/** Longest wait for a name, ms. */
const NAME_MS_MAX = 500;
const PAPER_SENSOR_MS_MAX = 1_000;
/** Longest wait for an answer to "forget what you have", ms. Printers without that command don't answer. */
const CLEAR_MS_MAX = 1_000;
/** More than any receipt; a terminal that sends more is wrong. */
const BYTES_MAX = 1_000_000;
/** Makers whose printers answer GS ( H. Others might print the question. */
const PROCESS_ID_MAKERS: ReadonlySet<string> = new Set(['EPSON', 'KAOPASS']);

const NOTHING = new Uint8Array(0);

export interface EscPosPrinterOptions {
  readonly line: PrinterLine;
  readonly form: ReceiptForm;
  readonly clock: Clock;
  readonly log: JobLog;
}

export class EscPosPrinter implements ReceiptPrinter {
  readonly name = 'receipt-printer';
  readonly form: ReceiptForm;
  readonly #line: PrinterLine;
  readonly #clock: Clock;
  readonly #log: JobLog;
  readonly #power = new AbortController();
  readonly #turns = new Turns(this.name, this.#power.signal);
  readonly #healthListeners = new Set<(health: DeviceHealth) => void>();
  readonly #conditionListeners = new Set<() => void>();
  readonly #connectionListeners = new Set<() => void>();
  #link: PrinterLink | null = null;
  /** Why there is no connection; null while there is one or none was tried. */
  #failure: LineError | null = null;
  #confirmation: Confirmation | null = null;
  #wakeUp: () => void = () => {};
  #lastHealth: DeviceHealth;
  #jobs = 0;
  /** Part of a receipt stands on the paper and was not cut off. */
  #fragment = false;
  readonly #running: Promise<void>;

  constructor({ line, form, clock, log }: EscPosPrinterOptions) {
    this.#line = line;
    this.form = form;
    this.#clock = clock;
    this.#log = log;
    this.#lastHealth = this.health();
    this.#running = this.#run();
  }

  health(): DeviceHealth {
    const link = this.#link;
    if (!link) {
      if (!this.#failure) return { state: 'offline', problem: `${this.#line.label}: not connected yet` };
      const state = this.#failure.failure === 'absent' ? 'noDevice' : 'offline';
      return { state, problem: this.#failure.message };
    }
    if (!link.speaks) {
      const garbage = link.garbage > 0 ? `nothing but garbage (${link.garbage} bytes; baud rate?)` : 'nothing';
      return { state: 'offline', problem: `${this.#line.label} takes data but answers ${garbage}` };
    }
    const found = obstacle(link.condition);
    if (found) {
      const state = found.kind === 'offline' ? 'offline' : found.kind === 'coverOpen' ? 'userError' : 'hardwareError';
      return { state, problem: found.message };
    }
    return { state: 'online', problem: link.condition.paper === 'low' ? 'paper is running low' : null };
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    this.#healthListeners.add(listener);
    return () => this.#healthListeners.delete(listener);
  }

  /** What is known of it now, as it last said; nothing while there is no connection. */
  get condition(): Condition {
    return this.#link?.condition ?? UNKNOWN;
  }

  onCondition(listener: () => void): () => void {
    this.#conditionListeners.add(listener);
    return () => this.#conditionListeners.delete(listener);
  }

  status(signal: AbortSignal): Promise<PrinterStatus> {
    return this.#turns.run(signal, async () => {
      const link = await this.#connected();
      if (!link || !(await link.askCondition(this.#power.signal))) {
        throw new TerminalError('DEVICE_UNAVAILABLE', this.health().problem ?? `${this.#line.label} does not answer`);
      }
      const { fault, paper } = link.condition;
      return { paper: fault === 'recoverable' ? 'jammed' : paper };
    });
  }

  print(bytes: Uint8Array, signal: AbortSignal): Promise<PrintCompletion> {
    return this.#turns.run(signal, async () => {
      if (bytes.length > BYTES_MAX) {
        return { outcome: 'failed', error: 'hardwareError', message: `${bytes.length} bytes are no receipt` };
      }
      const link = await this.#connected();
      if (!link) return { outcome: 'failed', error: 'noDevice', message: this.health().problem ?? 'not connected' };
      const power = this.#power.signal;
      const answered = await link.askCondition(power);
      if (!answered && link.speaks) {
        await link.close(new LineError('timeout', `${this.#line.label} does not answer any more`));
        return {
          outcome: 'failed',
          error: 'noDevice',
          message: `${this.#line.label} does not answer: nothing was sent`,
        };
      }
      // The printer may still wait for the rest of a receipt whose line broke, and take for it whatever comes.
      if (this.#fragment && link.speaks) await link.ask(CLEAR_BUFFERS, 'cleared', CLEAR_MS_MAX, power);
      const ready = link.speaks && !obstacle(link.condition);
      const confirmation = this.#confirmation ?? (ready ? await this.#learn(link) : 'status');
      this.#jobs = (this.#jobs + 1) % 36 ** 3;
      const id = `K${this.#jobs.toString(36).toUpperCase().padStart(3, '0')}`;
      // Part of another customer's receipt must not hang on this one.
      const job = Buffer.concat([this.#fragment ? CUT_OFF : NOTHING, withStatusBack(bytes)]);
      const { completion, fragment } = await printJob(link, job, confirmation, id, this.#clock, this.#log, power);
      this.#fragment = fragment || (this.#fragment && completion.outcome !== 'printed');
      return completion;
    });
  }

  /** Sends a few bytes in their turn: "sent", or why not. For the drawer, which hangs on the printer. */
  send(bytes: (condition: Condition) => Uint8Array, signal: AbortSignal): Promise<'sent' | LineError> {
    return this.#turns.run(signal, async () => {
      const link = await this.#connected();
      if (!link) return this.#failure ?? new LineError('gone', `${this.#line.label} is not connected`);
      await link.askCondition(this.#power.signal);
      try {
        await link.write(bytes(link.condition), this.#power.signal);
        return 'sent';
      } catch (cause) {
        this.#power.signal.throwIfAborted();
        return cause instanceof LineError ? cause : await link.end;
      }
    });
  }

  /** Asks the printer how it is, unless it is busy; whoever listens to the condition hears of it. */
  async look(): Promise<void> {
    const link = this.#link;
    if (link && this.#turns.idle)
      await this.#turns.run(this.#power.signal, () => link.askCondition(this.#power.signal));
  }

  /** Resolves once the first try to connect has succeeded or failed. */
  async tried(): Promise<void> {
    if (!this.#link && !this.#failure) await this.#connectionChange(CONNECTING_MS_MAX);
  }

  async close(): Promise<void> {
    this.#power.abort(new TerminalError('DEVICE_UNAVAILABLE', `${this.name} is closed`));
    await this.#link?.close(new LineError('gone', `${this.#line.label} was closed`));
    await this.#running;
    await this.#turns.settled();
    this.#healthListeners.clear();
    this.#conditionListeners.clear();
  }

  /** Connects, watches, and connects again, until closed. */
  async #run(): Promise<void> {
    const { signal } = this.#power;
    let againMs = AGAIN_MS_MIN;
    while (!signal.aborted) {
      try {
        const link = await PrinterLink.open(this.#line, this.#clock, () => this.#changed(), signal);
        await link.enableAsb(signal).catch(() => undefined);
        await link.askCondition(signal).catch(() => false);
        this.#link = link;
        this.#failure = null;
        this.#connectionChanged();
        if (link.speaks) againMs = AGAIN_MS_MIN;
        this.#failure = await this.#watch(link);
        await link.close(this.#failure);
      } catch (cause) {
        if (signal.aborted) break;
        this.#failure =
          cause instanceof LineError
            ? cause
            : new LineError('failed', `${this.#line.label}: ${(cause as Error).message}`, { cause });
      }
      if (signal.aborted) break;
      this.#link = null;
      this.#confirmation = null;
      this.#connectionChanged();
      await this.#waitBeforeAgain(againMs);
      againMs = Math.min(againMs * 2, AGAIN_MS_MAX);
    }
  }

  /** Asks an idle printer now and then until its connection ends, or has to be ended because it fell silent. Never rejects. */
  async #watch(link: PrinterLink): Promise<LineError> {
    const { signal } = this.#power;
    let silences = 0;
    let end: LineError | null = null;
    const ended = link.end.then((reason) => {
      end = reason;
    });
    while (!end) {
      const controller = new AbortController();
      const either = AbortSignal.any([signal, controller.signal]);
      await Promise.race([ended, this.#clock.sleep(LOOK_EVERY_MS, either).catch(() => undefined)]);
      controller.abort();
      if (signal.aborted) return new LineError('gone', `${this.#line.label} was closed`);
      if (end || !this.#turns.idle) continue;
      const spoke = link.speaks;
      const answered = await this.#turns.run(signal, () => this.#look(link)).catch(() => true);
      silences = answered || !spoke ? 0 : silences + 1;
      if (silences >= SILENCES_MAX) {
        return new LineError('timeout', `${this.#line.label} fell silent: check power and cable`);
      }
    }
    return end;
  }

  /** One that was switched off and on has forgotten to push its status; one that stands still would only keep the command in its memory. */
  async #look(link: PrinterLink): Promise<boolean> {
    const { signal } = this.#power;
    const answered = await link.askCondition(signal);
    if (answered && !obstacle(link.condition)) await link.enableAsb(signal).catch(() => undefined);
    return answered;
  }

  /** Waits for the next try; a print that wants the printer now cuts the wait short. */
  async #waitBeforeAgain(ms: number): Promise<void> {
    const controller = new AbortController();
    this.#wakeUp = () => controller.abort();
    await this.#clock.sleep(ms, AbortSignal.any([this.#power.signal, controller.signal])).catch(() => undefined);
    this.#wakeUp = () => {};
  }

  async #connected(): Promise<PrinterLink | null> {
    if (this.#link && !this.#link.ended) return this.#link;
    this.#wakeUp();
    await this.#connectionChange(CONNECTING_MS_MAX);
    return this.#link?.ended ? null : this.#link;
  }

  #connectionChange(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        callOff();
        this.#connectionListeners.delete(done);
        this.#power.signal.removeEventListener('abort', done);
        resolve();
      };
      const callOff = this.#clock.after(ms, done);
      this.#connectionListeners.add(done);
      this.#power.signal.addEventListener('abort', done);
    });
  }

  #connectionChanged(): void {
    for (const listener of [...this.#connectionListeners]) listener();
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#conditionListeners]) listener();
    const health = this.health();
    if (health.state === this.#lastHealth.state && health.problem === this.#lastHealth.problem) return;
    this.#lastHealth = health;
    for (const listener of [...this.#healthListeners]) listener(health);
  }

  /** Asked once a connection, of a printer that is ready: one that stands still answers nothing but real-time questions. */
  async #learn(link: PrinterLink): Promise<Confirmation> {
    const power = this.#power.signal;
    const maker = await link.ask(ASK_MAKER, 'info', NAME_MS_MAX, power);
    const model = maker ? await link.ask(ASK_MODEL, 'info', NAME_MS_MAX, power) : null;
    if (maker && PROCESS_ID_MAKERS.has(maker.text.toUpperCase())) this.#confirmation = 'processId';
    else if (await link.ask(ASK_PAPER, 'single', PAPER_SENSOR_MS_MAX, power)) this.#confirmation = 'paperSensor';
    else this.#confirmation = 'status';
    this.#log('receipt printer connected', {
      line: this.#line.label,
      maker: maker?.text ?? null,
      model: model?.text ?? null,
      confirmation: this.#confirmation,
    });
    return this.#confirmation;
  }
}
