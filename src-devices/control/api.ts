/**
 * What can be asked of the machine over the control interface, as one table. Answers: 200 `{ok: true, …}`; 409 `{ok: false, message}`
 * for a deed that is impossible now; 400 with `fields` for a body that does not fit; 503 while the plug is out.
 */
import { z } from 'zod';
import { SYMBOLOGIES } from '../barcode/barcode-reader.ts';
import type { CashHands } from '../cash/hands.ts';
import { STANDARD_DIALECT } from '../dialect.ts';
import { COMMANDS } from '../message-index.ts';
import { LEVELS } from '../notes/items.ts';
import { KEYS } from '../pin/entry.ts';
import { FLIPPED_DIALECT, switches } from './dialect-switches.ts';
import type { Machine, PoweredAtm } from './machine.ts';
import { controlState } from './state.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
}

export const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});
export const impossible = (status: number, message: string) => json(status, { ok: false, message });
const ok = (more: object = {}) => json(200, { ok: true, ...more });
/** A deed: what is false when it was impossible just then. */
const deed = (done: boolean, otherwise: string) => (done ? ok() : impossible(409, otherwise));

export class PowerIsOff extends Error {
  constructor() {
    super('the plug is out');
  }
}

interface Route {
  readonly schema: z.ZodType;
  act(machine: Machine, body: unknown): Promise<Answer> | Answer;
}

function route<Schema extends z.ZodType>(
  schema: Schema,
  act: (machine: Machine, body: z.output<Schema>) => Promise<Answer> | Answer,
): Route {
  return { schema, act: (machine, body) => act(machine, body as z.output<Schema>) };
}

/** A deed that needs the machine switched on. */
function powered<Schema extends z.ZodType>(
  schema: Schema,
  act: (atm: PoweredAtm, body: z.output<Schema>) => Promise<Answer> | Answer,
): Route {
  return route(schema, (machine, body) => {
    const atm = machine.atm();
    if (!atm) throw new PowerIsOff();
    return act(atm, body);
  });
}

const Nothing = z.strictObject({});
const DEVICE_STATES = [
  'online',
  'offline',
  'powerOff',
  'noDevice',
  'hardwareError',
  'userError',
  'fraudAttempt',
  'potentialFraud',
] as const;

/** A deed at the cash side. What hands can't do is theirs to say, as an Error. */
function cash<Schema extends z.ZodType>(
  schema: Schema,
  act: (hands: CashHands, body: z.output<Schema>) => Promise<unknown> | unknown,
): Route {
  return powered(schema, async ({ cash: side }, body) => {
    if (!side) return impossible(404, 'this machine has no cash');
    try {
      await act(side.hands, body);
      return ok();
    } catch (error) {
      return impossible(409, (error as Error).message);
    }
  });
}

const Notes = z
  .array(
    z.strictObject({
      /** Major units. */
      value: z.int().positive(),
      count: z.int().min(0).max(500),
      level: z.enum(LEVELS).default('fit'),
    }),
  )
  .max(20);
/** Absent: all of them. */
const Some = z.strictObject({ count: z.int().min(1).max(500).optional() });
const UnitId = z.string().max(40);

const POST: Readonly<Record<string, Route>> = {
  '/api/notes/insert': cash(
    z.strictObject({
      notes: Notes.default([]),
      unrecognised: z.int().min(0).max(200).default(0),
      wait: z.boolean().default(false),
    }),
    (hands, { notes, unrecognised, wait }) =>
      wait ? hands.insertWhenOpen(notes, { unrecognised }) : hands.insertNotes(notes, { unrecognised }),
  ),
  '/api/notes/take': cash(Some, (hands, { count }) => hands.takeNotes(count ? { some: count } : {})),
  '/api/notes/take-returned': cash(Some, (hands, { count }) => hands.takeReturned(count ? { some: count } : {})),
  '/api/foreign-item': cash(
    z.strictObject({ position: z.enum(['output', 'input']), there: z.boolean() }),
    (hands, { position, there }) => hands.foreignItem(position, there),
  ),
  '/api/units/remove': cash(z.strictObject({ unit: UnitId }), (hands, { unit }) => hands.removeUnit(unit)),
  '/api/units/insert': cash(z.strictObject({ unit: UnitId }), (hands, { unit }) => hands.insertUnit(unit)),
  '/api/units/load': cash(
    z.strictObject({ unit: UnitId, count: z.int().min(0).max(100_000), told: z.boolean().default(true) }),
    (hands, { unit, count, told }) => hands.load(unit, count, { told }),
  ),
  '/api/pin/keys': powered(z.strictObject({ keys: z.array(z.enum(KEYS)).min(1).max(32) }), async (atm, { keys }) => {
    const heard = await atm.peripherals.pin.press(keys);
    return heard > 0 ? ok({ heard }) : impossible(409, 'no entry is asked for');
  }),
  '/api/pin/tamper': powered(Nothing, (atm) => {
    atm.peripherals.pin.tamper();
    return ok();
  }),
  '/api/receipt/take': powered(Nothing, (atm) => deed(atm.peripherals.printer.take(), 'no receipt lies in the slot')),
  '/api/paper': powered(z.strictObject({ receipts: z.int().min(0).max(10_000) }), (atm, { receipts }) => {
    atm.peripherals.printer.setPaper(receipts);
    return ok();
  }),
  '/api/printer/clear-jam': powered(Nothing, (atm) => {
    atm.peripherals.printer.clearJam();
    return ok();
  }),
  '/api/barcode': powered(
    z.strictObject({ symbology: z.enum(SYMBOLOGIES).default('jan13'), data: z.string().min(1).max(500) }),
    (atm, { symbology, data }) =>
      deed(
        atm.peripherals.barcode.scan(symbology, Buffer.from(data, 'utf8')),
        'the reader does not look, or not for this symbology',
      ),
  ),
  '/api/biometric': powered(z.strictObject({ subject: z.string().min(1).max(60).nullable() }), (atm, { subject }) => {
    atm.peripherals.biometric.present(subject);
    return ok();
  }),
  '/api/device': powered(
    z.strictObject({ service: z.string().max(60), state: z.enum(DEVICE_STATES) }),
    (atm, { service, state }) => {
      const found = atm.services.find(({ name }) => name === service);
      found?.setDevice(state);
      return deed(found !== undefined, `there is no service ${service}`);
    },
  ),
  '/api/disconnect': powered(z.strictObject({ service: z.string().max(60) }), (atm, { service }) => {
    const found = atm.services.find(({ name }) => name === service);
    found?.disconnect();
    return deed(found !== undefined, `there is no service ${service}`);
  }),
  '/api/faults': powered(z.looseObject({ fault: z.string().max(60) }), (atm, order) => {
    try {
      return ok({ armed: atm.faults.arm(order) });
    } catch (error) {
      return impossible(400, error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message);
    }
  }),
  '/api/faults/disarm': powered(z.strictObject({ id: z.int().nullable().default(null) }), (atm, { id }) => {
    if (id === null) atm.faults.disarmAll();
    else atm.faults.disarm(id);
    return ok();
  }),
  '/api/dialect': route(z.looseObject({}), (machine, change) => {
    machine.setDialect(change);
    return ok({ dialect: machine.dialect() });
  }),
  '/api/dialect/all': route(z.strictObject({ to: z.enum(['standard', 'flipped']) }), (machine, { to }) => {
    machine.setDialect(to === 'standard' ? STANDARD_DIALECT : FLIPPED_DIALECT);
    return ok({ dialect: machine.dialect() });
  }),
  '/api/power': route(z.strictObject({ on: z.boolean() }), async (machine, { on }) => {
    try {
      await (on ? machine.powerOn() : machine.powerCut());
      return ok();
    } catch (error) {
      return impossible(409, (error as Error).message);
    }
  }),
};

const GET: Readonly<Record<string, (machine: Machine) => Promise<Answer> | Answer>> = {
  '/api/state': async (machine) => ok({ state: await controlState(machine) }),
  '/api/catalogue': (machine) => {
    const faults = machine.atm()?.faults.kinds() ?? [];
    return ok({
      faults: faults.map(({ name, says, parameters }) => ({
        name,
        says,
        parameters: z.toJSONSchema(parameters, { io: 'input' }),
      })),
      commands: Object.keys(COMMANDS),
      dialect: switches(),
      deviceStates: DEVICE_STATES,
    });
  },
  '/api/camera/last.png': (machine) => {
    const picture = machine.atm()?.peripherals.camera.last();
    return picture ? { status: 200, type: 'image/png', body: picture } : impossible(404, 'no picture was taken yet');
  },
};

/** Paths of all requests, but for those that carry a name. */
export const REQUESTS: readonly string[] = [...Object.keys(GET), ...Object.keys(POST)];

const RECEIPT = /^\/api\/receipts\/(\d{6})\.(png|escpos)$/;

/** Throws zod's error for a body that does not fit, PowerIsOff for a deed at a dead machine. */
export async function answerApi(
  machine: Machine,
  method: 'GET' | 'POST',
  path: string,
  body: unknown,
): Promise<Answer> {
  const receipt = RECEIPT.exec(path);
  if (method === 'GET' && receipt) return await readReceipt(machine, receipt[1]!, receipt[2] as 'png' | 'escpos');
  const read = method === 'GET' && Object.hasOwn(GET, path) ? GET[path] : undefined;
  if (read) return await read(machine);
  const act = method === 'POST' && Object.hasOwn(POST, path) ? POST[path] : undefined;
  if (!act) return impossible(404, `nothing is at ${method} ${path}`);
  return await act.act(machine, act.schema.parse(body));
}

async function readReceipt(machine: Machine, name: string, ending: 'png' | 'escpos'): Promise<Answer> {
  const content = await machine.atm()?.peripherals.printer.receipts.read(name, ending);
  if (!content) return impossible(404, `there is no receipt ${name}`);
  return { status: 200, type: ending === 'png' ? 'image/png' : 'application/octet-stream', body: content };
}
