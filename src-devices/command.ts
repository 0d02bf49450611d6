/** How a service says what it does at a command. */
import type { z } from 'zod';
import type { CompletionCode, Payload } from './envelope.ts';

/** Why a command has to end early; the reason of its signal. */
export class CommandEnded extends Error {
  readonly code: 'canceled' | 'timeOut' | 'disconnected';
  constructor(code: 'canceled' | 'timeOut' | 'disconnected') {
    super(`the command ended: ${code}`);
    this.code = code;
  }
}

export interface CommandContext {
  /** Ms from receipt, as the client gave it; null: no limit. */
  readonly timeoutMs: number | null;
  /** Aborted by Common.Cancel, time-out and disconnect with a CommandEnded. A handler that lets its reason through completes
   *  with `canceled` or `timeOut`; one past the point of no return ignores it and completes normally. */
  readonly signal: AbortSignal;
  /** An event of this command, to the connection that sent it. */
  event(name: string, payload?: Payload): void;
}

/** What a completion says. `errorCode` goes into the payload, with the code commandErrorCode. */
export interface Outcome {
  readonly code: CompletionCode;
  readonly errorCode?: string;
  /** For logs. */
  readonly description?: string;
  readonly payload?: Payload;
  /** Done once the completion is sent. */
  afterwards?(): void;
}

export const done = (payload?: Payload): Outcome => ({ code: 'success', ...(payload && { payload }) });
/** Ends with commandErrorCode and this errorCode; `payload` is what was done all the same. */
export const failed = (errorCode: string, description?: string, payload?: Payload): Outcome => ({
  code: 'commandErrorCode',
  errorCode,
  ...(description && { description }),
  ...(payload && { payload }),
});
/** Ends with any other completion code. */
export const ended = (code: Exclude<CompletionCode, 'success' | 'commandErrorCode'>, description: string): Outcome => ({
  code,
  description,
});

export interface CommandHandler {
  readonly schema: z.ZodType;
  run(payload: unknown, context: CommandContext): Promise<Outcome>;
  /** Answered from what the device remembers, even when it is offline or broken. */
  readonly withoutDevice: boolean;
}

/** A handler whose payload is parsed by `schema` before it runs; what does not fit is invalidData and changes nothing. */
export function command<Schema extends z.ZodType>(
  schema: Schema,
  run: (payload: z.output<Schema>, context: CommandContext) => Promise<Outcome> | Outcome,
  options: { readonly withoutDevice?: boolean } = {},
): CommandHandler {
  return {
    schema,
    run: async (payload, context) => await run(payload as z.output<Schema>, context),
    withoutDevice: options.withoutDevice ?? false,
  };
}

/** The handlers of one interface, and what it says of itself. */
export interface Interface {
  /** e.g. `CashDispenser`. */
  readonly name: string;
  /** By full name, e.g. `CashDispenser.Present`. */
  readonly commands: Readonly<Record<string, CommandHandler>>;
  /** Full names of the events this interface may send. */
  readonly events: readonly string[];
  /** The interface's own object in Common.Capabilities, if it has one; its key there is the name in lower camel case. */
  capabilities?(): Payload;
}
