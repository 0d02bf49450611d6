/**
 * One connection to a printer: what it answers, put together into its condition. Questions go out one at a time, because the answer
 * to DLE EOT does not say which question it answers.
 */
import { type Clock, deadline } from '../../clock.ts';
import { askRealTime, ENABLE_ASB } from './commands.ts';
import { LineError, type OpenLine, type PrinterLine } from './line.ts';
import { type Response, ResponseReader } from './responses.ts';
import { afterAsb, afterRealTime, type Condition, type RealTimeQuestion, UNKNOWN } from './status.ts';

/** Longest wait for an answer to DLE EOT, ms: printers answer within tens, a busy network adds some. */
const REAL_TIME_MS_MAX = 1_000;
const QUESTIONS: readonly RealTimeQuestion[] = [1, 2, 3, 4];

export class PrinterLink {
  readonly #line: OpenLine;
  readonly #clock: Clock;
  readonly #listeners = new Set<(response: Response) => void>();
  readonly #conditionListeners = new Set<() => void>();
  readonly #end = Promise.withResolvers<LineError>();
  readonly #ended = new AbortController();
  condition: Condition = UNKNOWN;
  /** Whether it ever answered anything that made sense. */
  speaks = false;
  /** Bytes that made none. */
  garbage = 0;

  static async open(line: PrinterLine, clock: Clock, onChange: () => void, signal: AbortSignal): Promise<PrinterLink> {
    // The line may speak before its `open` has returned; what it says then is not lost.
    let link: PrinterLink | null = null;
    let early: Uint8Array[] = [];
    let endedEarly: LineError | null = null;
    const open = await line.open(
      {
        data: (bytes) => (link ? link.#reader.push(bytes) : early.push(bytes)),
        closed: (reason) => {
          if (link) link.#close(reason);
          else endedEarly = reason;
        },
      },
      signal,
    );
    link = new PrinterLink(open, clock, onChange);
    for (const bytes of early) link.#reader.push(bytes);
    early = [];
    if (endedEarly) link.#close(endedEarly);
    return link;
  }

  private constructor(line: OpenLine, clock: Clock, onChange: () => void) {
    this.#line = line;
    this.#clock = clock;
    this.#conditionListeners.add(onChange);
  }

  readonly #reader = new ResponseReader((response) => this.#hear(response));

  /** Calls back whenever the condition was heard anew, changed or not. Returns how to stop. */
  onCondition(listener: () => void): () => void {
    this.#conditionListeners.add(listener);
    return () => this.#conditionListeners.delete(listener);
  }

  /** Resolves when the connection is over, with why. */
  get end(): Promise<LineError> {
    return this.#end.promise;
  }

  /** Aborts then. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get ended(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Calls back with everything it says. Returns how to stop. */
  onResponse(listener: (response: Response) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#line.write(bytes, AbortSignal.any([signal, this.#ended.signal]));
  }

  enableAsb(signal: AbortSignal): Promise<void> {
    return this.write(ENABLE_ASB, signal);
  }

  /** DLE EOT 1 to 4, each question after the answer before. False when one stayed open: the condition is as old as before. */
  async askCondition(signal: AbortSignal): Promise<boolean> {
    for (const question of QUESTIONS) {
      const answer = await this.ask(askRealTime(question), 'realTime', REAL_TIME_MS_MAX, signal);
      if (!answer) return false;
      this.condition = afterRealTime(this.condition, question, answer.byte);
    }
    this.#conditionHeard();
    return true;
  }

  /** Sends a question and waits for the answer of its kind; null when it did not come in time or the connection ended. */
  async ask<Kind extends Response['kind']>(
    question: Uint8Array,
    kind: Kind,
    ms: number,
    signal: AbortSignal,
  ): Promise<Extract<Response, { kind: Kind }> | null> {
    using limit = deadline(this.#clock, ms, AbortSignal.any([signal, this.#ended.signal]));
    const answer = this.#next(kind, limit.signal);
    // It may be given up while the question is still being written; the `await` below hears of it then.
    answer.catch(() => undefined);
    try {
      await this.#line.write(question, limit.signal);
      return await answer;
    } catch (error) {
      signal.throwIfAborted();
      if (limit.signal.aborted || error instanceof LineError) return null;
      throw error;
    }
  }

  #next<Kind extends Response['kind']>(kind: Kind, signal: AbortSignal): Promise<Extract<Response, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const stop = this.onResponse((response) => {
        if (response.kind !== kind) return;
        stop();
        signal.removeEventListener('abort', abort);
        resolve(response as Extract<Response, { kind: Kind }>);
      });
      const abort = () => {
        stop();
        reject(signal.reason);
      };
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Ends the connection, for a reason of ours. */
  async close(reason: LineError): Promise<void> {
    this.#close(reason);
    await this.#line.close();
  }

  #conditionHeard(): void {
    for (const listener of [...this.#conditionListeners]) listener();
  }

  #close(reason: LineError): void {
    if (this.ended) return;
    this.#ended.abort(reason);
    this.#end.resolve(reason);
  }

  #hear(response: Response): void {
    if (response.kind === 'garbage') this.garbage += response.bytes.length;
    else this.speaks = true;
    if (response.kind === 'asb') {
      this.condition = afterAsb(this.condition, response.block);
      this.#conditionHeard();
    }
    for (const listener of [...this.#listeners]) listener(response);
  }
}
