/**
 * One XFS4IoT service: envelope, acknowledge, queue, time-out, cancel, versions, Common, and the change events of status and
 * storage. What a device does at a command is in the handlers of its interfaces; everything the standard asks of all devices
 * alike is here (XFS4IoT 2024-3, sections 2, 3, 7, 9.4 of the digest this follows).
 *
 * One device command at a time over all connections, in order of arrival; queries that need no hardware run beside it. The
 * clock of a time-out starts at receipt. A connection that goes takes its queued and executing commands with it; what a
 * mechanism has begun goes on all the same.
 */
import { z } from 'zod';
import {
  type CommandContext,
  CommandEnded,
  type CommandHandler,
  ended,
  type Interface,
  type Outcome,
} from './command.ts';
import { commonInterface } from './common-interface.ts';
import { Connection, type Socket } from './connection.ts';
import { delta } from './delta.ts';
import { type Command, type Payload, readCommand } from './envelope.ts';
import { COMMANDS, eventVersion, IMMEDIATE_COMMANDS, listedVersion } from './message-index.ts';
import {
  type DeviceState,
  ERROR_EVENT_OF_STATE,
  FAILURE_OF_STATE,
  type Outlet,
  type Runtime,
  type ServiceDefinition,
} from './service-definition.ts';
import { storageEvents } from './storage-events.ts';
import {
  connectionDrop,
  deviceFailure,
  duplicateCompletion,
  duplicateEvent,
  garbage,
  lateResult,
  missingCompletion,
  missingEvent,
  slowCompletion,
  strayCompletion,
  unknownFields,
} from './wire-faults.ts';

export type { DeviceState, LogEntry, Outlet, Runtime, ServiceDefinition } from './service-definition.ts';

/** Commands a service keeps at most, over all connections; the standard's `maximumRequests`. */
const REQUESTS_MAX = 64;

interface Pending {
  readonly connection: Connection;
  readonly command: Command;
  readonly controller: AbortController;
  readonly immediate: boolean;
  callOffTimeout: () => void;
  state: 'queued' | 'executing' | 'ended';
}

export class Service implements Outlet {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #definition: ServiceDefinition;
  readonly #interfaces: readonly Interface[];
  readonly #handlers: ReadonlyMap<string, CommandHandler>;
  readonly #connections = new Set<Connection>();
  readonly #requestsMax: number;
  #pending: Pending[] = [];
  #executing: Pending | null = null;
  #device: DeviceState = 'online';
  #status: Payload;
  #storage: Payload;

  /** `define` gets the outlet its handlers speak through. */
  constructor(runtime: Runtime, define: (outlet: Outlet) => ServiceDefinition, requestsMax = REQUESTS_MAX) {
    this.#runtime = runtime;
    this.#requestsMax = requestsMax;
    this.#definition = define({
      unsolicited: (name, payload) => this.unsolicited(name, payload),
      changed: () => this.changed(),
    });
    this.name = this.#definition.name;
    const common = commonInterface({
      definition: this.#definition,
      requestsMax,
      dialect: () => runtime.dialect(),
      interfaces: () => this.#interfaces,
      status: () => this.status(),
      cancel: (context, requestIds) => this.#cancel(context, requestIds),
    });
    this.#interfaces = [common, ...this.#definition.interfaces];
    this.#handlers = new Map(this.#interfaces.flatMap(({ commands }) => Object.entries(commands)));
    this.#status = this.status();
    this.#storage = this.#definition.storage?.() ?? {};
    // Time-outs of a machine without power would keep the process alive for nothing.
    runtime.power.addEventListener('abort', () => {
      for (const { callOffTimeout } of this.#pending) callOffTimeout();
    });
  }

  /** The device as a whole: anything but online and busy makes its commands fail. Tells the clients. */
  setDevice(state: DeviceState): void {
    if (state === this.#device) return;
    this.#device = state;
    const error = ERROR_EVENT_OF_STATE[state];
    if (error) this.unsolicited('Common.ErrorEvent', error);
    this.changed();
  }

  device(): DeviceState {
    return this.#device;
  }

  /** As Common.Status answers it. */
  status(): Payload {
    return {
      common: { device: this.#device, devicePosition: 'inPosition', ...this.#definition.common?.status?.() },
      ...this.#definition.status(),
    };
  }

  /** How many clients are connected. */
  connections(): number {
    return this.#connections.size;
  }

  unsolicited(name: string, payload?: Payload): void {
    if (this.#runtime.power.aborted) return;
    const message = { type: 'unsolicited', name, version: eventVersion(name), payload: payload ?? null } as const;
    for (let sent = this.#timesSent(name); sent > 0; sent--) {
      for (const connection of this.#connections) connection.send(message);
    }
  }

  changed(): void {
    const held = this.#runtime.dialect().deltas === 'afterCompletion' && this.#executing !== null;
    if (!held) this.#tellChanges();
  }

  #tellChanges(): void {
    const status = this.status();
    const change = delta(this.#status, status);
    this.#status = status;
    if (change) this.unsolicited('Common.StatusChangedEvent', change);
    const storage = this.#definition.storage?.() ?? {};
    const events = storageEvents(this.#storage, storage, this.#runtime.dialect());
    this.#storage = storage;
    for (const { name, payload } of events) this.unsolicited(name, payload);
  }

  /** Takes over a connected client. */
  accept(socket: Socket): void {
    const connection = new Connection(socket, () => this.#runtime.dialect());
    this.#connections.add(connection);
    connection.listen({
      text: (text) => this.#receive(connection, text),
      closed: () => this.#drop(connection),
    });
  }

  /** Breaks all connections at once, as a crash or a pulled cable would. */
  disconnect(): void {
    for (const connection of this.#connections) connection.terminate();
  }

  #drop(connection: Connection): void {
    this.#connections.delete(connection);
    for (const pending of this.#pending.filter((each) => each.connection === connection)) {
      this.#end(pending, 'disconnected');
    }
  }

  #receive(connection: Connection, text: string): void {
    if (this.#runtime.power.aborted) return;
    const incoming = readCommand(text);
    if ('refused' in incoming) {
      connection.send(incoming.refused);
      return;
    }
    const { command } = incoming;
    const { name, version, requestId } = command;
    const acknowledge = { type: 'acknowledge', name, version, requestId } as const;
    if (this.#pending.some((each) => each.connection === connection && each.command.requestId === requestId)) {
      connection.send({ ...acknowledge, status: 'invalidRequestID' });
      return;
    }
    const immediate = IMMEDIATE_COMMANDS.has(name);
    // Common.Cancel must get through a full queue, or a client could never empty it.
    if (this.#pending.length >= this.#requestsMax && name !== 'Common.Cancel') {
      connection.send({ ...acknowledge, status: 'tooManyRequests' });
      return;
    }
    connection.send({ ...acknowledge, status: null });
    const pending: Pending = {
      connection,
      command,
      controller: new AbortController(),
      immediate,
      callOffTimeout: () => {},
      state: 'queued',
    };
    this.#pending.push(pending);
    if (command.timeoutMs !== null) {
      pending.callOffTimeout = this.#runtime.clock.after(command.timeoutMs, () => this.#end(pending, 'timeOut'));
    }
    if (immediate) void this.#execute(pending);
    else this.#next();
  }

  /** Cancel, time-out or disconnect: a waiting command ends now, an executing one hears of it and ends as it can. */
  #end(pending: Pending, why: CommandEnded['code']): void {
    if (pending.state === 'queued') {
      const outcome = why === 'disconnected' ? null : ended(why, 'ended before it began');
      this.#complete(pending, outcome);
    } else {
      pending.controller.abort(new CommandEnded(why));
    }
  }

  #cancel(context: CommandContext, requestIds: readonly number[] | null): (() => void) | null {
    const canceller = this.#pending.find(({ controller }) => controller.signal === context.signal);
    const targets = this.#pending.filter(
      (each) =>
        each !== canceller &&
        each.connection === canceller?.connection &&
        (requestIds === null || requestIds.includes(each.command.requestId)),
    );
    if (requestIds !== null && targets.length === 0) return null;
    // The Cancel completes before what it ends (XFS4IoT, 3.3).
    return () => {
      for (const target of targets) this.#end(target, 'canceled');
    };
  }

  #next(): void {
    if (this.#executing || this.#runtime.power.aborted) return;
    const pending = this.#pending.find((each) => each.state === 'queued' && !each.immediate);
    if (pending) void this.#execute(pending);
  }

  async #execute(pending: Pending): Promise<void> {
    if (!pending.immediate) this.#executing = pending;
    pending.state = 'executing';
    const { name } = pending.command;
    const matches = (fault: { command: string }) => fault.command === name;
    const { faults, clock, power } = this.#runtime;
    const connectionFault = faults.strikes(connectionDrop, matches);
    const extra = faults.strikes(unknownFields, matches) !== null;
    if (connectionFault?.when === 'beforeAct') {
      pending.connection.terminate();
      this.#end(pending, 'disconnected');
    }
    const outcome = pending.controller.signal.aborted ? null : await this.#outcome(pending, extra);
    if (this.#runtime.power.aborted) return;
    const slow = faults.strikes(slowCompletion, matches);
    if (slow) await clock.sleep(slow.delayMs, power).catch(() => {});
    if (connectionFault?.when === 'afterAct') pending.connection.terminate();
    if (!pending.immediate) this.#executing = null;
    this.#complete(pending, outcome, extra);
    if (!pending.immediate && this.#runtime.dialect().deltas === 'afterCompletion') this.#tellChanges();
    this.#next();
  }

  async #outcome(pending: Pending, extra: boolean): Promise<Outcome | null> {
    const { command } = pending;
    const handler = this.#handler(command);
    if ('code' in handler) return handler;
    const payload = handler.schema.safeParse(command.payload);
    if (!payload.success) return ended('invalidData', z.prettifyError(payload.error).replaceAll('\n', ' '));
    const broken = handler.withoutDevice || pending.immediate ? undefined : FAILURE_OF_STATE[this.#device];
    if (broken) return { code: broken, description: `the device is ${this.#device}` };
    const fault = this.#runtime.faults.strikes(deviceFailure, (each) => each.command === command.name);
    if (fault) return ended(fault.code, 'a fault that was armed');
    const deaf = this.#runtime.faults.strikes(lateResult, (each) => each.command === command.name) !== null;
    try {
      return await handler.run(payload.data, {
        timeoutMs: command.timeoutMs,
        signal: deaf ? new AbortController().signal : pending.controller.signal,
        event: (name, content) => this.#event(pending, name, content ?? null, extra),
      });
    } catch (error) {
      if (error instanceof CommandEnded) return error.code === 'disconnected' ? null : ended(error.code, error.message);
      if (this.#runtime.power.aborted) return null;
      this.#runtime.log({
        service: this.name,
        command: command.name,
        requestId: command.requestId,
        message: (error as Error).stack ?? String(error),
      });
      return ended('internalError', (error as Error).message);
    }
  }

  #handler(command: Command): CommandHandler | Outcome {
    const handler = this.#handlers.get(command.name);
    if (!handler) {
      const standard =
        command.name in COMMANDS && this.#interfaces.some(({ name }) => command.name.startsWith(`${name}.`));
      return standard
        ? ended('unsupportedCommand', `${command.name} is not implemented by ${this.name}`)
        : ended('invalidCommand', `${this.name} knows no ${command.name}`);
    }
    const listed = listedVersion(command.name, this.#runtime.dialect());
    const fits = this.#runtime.dialect().strictVersions
      ? command.version === listed
      : command.version.split('.')[0] === listed.split('.')[0];
    return fits ? handler : ended('unsupportedCommand', `${command.name} is offered in version ${listed}`);
  }

  #event(pending: Pending, name: string, payload: Payload | null, extra: boolean): void {
    if (pending.state !== 'executing' || this.#runtime.power.aborted) return;
    const { requestId } = pending.command;
    for (let sent = this.#timesSent(name); sent > 0; sent--) {
      pending.connection.send({ type: 'event', name, version: eventVersion(name), requestId, payload }, extra);
    }
  }

  #timesSent(name: string): number {
    if (this.#runtime.faults.strikes(missingEvent, (fault) => fault.event === name)) return 0;
    return this.#runtime.faults.strikes(duplicateEvent, (fault) => fault.event === name) ? 2 : 1;
  }

  /** Null: nobody is there to be told. */
  #complete(pending: Pending, outcome: Outcome | null, extra = false): void {
    if (pending.state === 'ended') return;
    pending.state = 'ended';
    pending.callOffTimeout();
    this.#pending = this.#pending.filter((each) => each !== pending);
    if (outcome === null) return;
    const { name, requestId } = pending.command;
    const { faults } = this.#runtime;
    const matches = (fault: { command: string }) => fault.command === name;
    const { code, errorCode, description, payload } = outcome;
    const message = {
      type: 'completion',
      name,
      version: COMMANDS[name]?.[1] ?? pending.command.version,
      requestId,
      code,
      description: description ?? null,
      payload: errorCode ? { errorCode, ...payload } : (payload ?? null),
    } as const;
    const rubbish = faults.strikes(garbage, matches);
    if (rubbish) pending.connection.sendText(rubbish.text);
    if (faults.strikes(strayCompletion, matches)) {
      pending.connection.send({ ...message, requestId: STRAY_REQUEST_ID, code: 'success', payload: null });
    }
    if (!faults.strikes(missingCompletion, matches)) pending.connection.send(message, extra);
    if (faults.strikes(duplicateCompletion, matches)) pending.connection.send(message, extra);
    outcome.afterwards?.();
  }
}

/** A request id no client reaches by counting. */
const STRAY_REQUEST_ID = 2_000_000_011;
