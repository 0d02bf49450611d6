/** XFS4IoT 2024-3, CashDispenser. Retract and Reset of a dispenser are CashManagement's. */
import { z } from 'zod';
import {
  count,
  dictionary,
  exactly,
  isObject,
  type JsonObject,
  nothing,
  number,
  ofCommand,
  oneOf,
  text,
} from './lenient.ts';
import { OUTPUT_POSITIONS, POSITIONS, RESET_TARGETS } from './positions.ts';
import { StorageCashIn, StorageCashOut, UNIT_ID } from './storage.ts';

/** Major units per ISO 4217 code. */
const Currencies = z.record(z.string().regex(/^[A-Z]{3}$/), z.number().nonnegative());
const SentCounts = z.record(z.string().regex(UNIT_ID), z.int().nonnegative());

/** Exactly one branch: the device computes the mix (`service`), or the caller did (`app`). */
const DenominationRequest = z.object({
  denomination: z.union([
    z.strictObject({
      service: z.object({
        currencies: Currencies,
        mix: z.string(),
        partial: SentCounts.optional(),
      }),
    }),
    z.strictObject({ app: z.object({ currencies: Currencies, counts: SentCounts }) }),
  ]),
});

const Result = z.object({
  /** Major units per ISO 4217 code. */
  currencies: dictionary(z.number()).optional(),
  /** Items per unit; units with none are left out. */
  values: dictionary(z.int().nonnegative(), UNIT_ID).optional(),
});

/** 2021-1 had no branches: amounts, counts and mix side by side. */
function flatRequest(request: unknown): unknown {
  const denomination = isObject(request) ? request['denomination'] : undefined;
  if (!isObject(denomination)) return request;
  const { service, app } = denomination;
  if (isObject(app)) return { currencies: app['currencies'], values: app['counts'] };
  if (!isObject(service)) return request;
  const { currencies, mix, partial } = service;
  return partial ? { currencies, mix, values: partial } : { currencies, mix };
}

/** 2021-1 answered Denominate with the result at the top level. */
function wrapResult(payload: JsonObject): JsonObject {
  return 'currencies' in payload || 'values' in payload ? { ...payload, result: payload } : payload;
}

/** 2021-1 answered Present with position and bunches at the top level. */
function wrapPosition(payload: JsonObject): JsonObject {
  const { position, additionalBunches } = payload;
  return typeof position === 'string' ? { ...payload, position: { position, additionalBunches } } : payload;
}

const Target = z.object({ target: exactly(RESET_TARGETS), unit: text, index: z.int().min(1).optional() });

export const cashDispenserCommands = {
  'CashDispenser.GetMixTypes': {
    payload: nothing,
    completion: z.object({
      mixes: dictionary(
        z.object({ type: oneOf(['individual', 'algorithm', 'table']), algorithm: text, name: text }),
        /^mix[0-9A-Za-z]+$/,
      ).optional(),
    }),
  },
  'CashDispenser.GetMixTable': {
    payload: z.object({ mix: z.string() }),
    completion: z.object({
      mixNumber: number,
      name: text,
      mixRows: z
        .array(
          z.object({
            amount: z.number(),
            mix: z.array(z.object({ value: z.number(), count: z.int().nonnegative() })),
          }),
        )
        .optional(),
    }),
  },
  'CashDispenser.Denominate': {
    payload: z.object({ request: DenominationRequest }),
    completion: z.object({ result: Result.optional() }),
    read: wrapResult,
    write1: (payload: JsonObject) => ({ denomination: flatRequest(payload['request']) }),
  },
  'CashDispenser.Dispense': {
    payload: z.object({
      denomination: DenominationRequest,
      position: exactly(OUTPUT_POSITIONS).optional(),
      token: text,
    }),
    completion: z.object({
      denomination: Result.optional(),
      /** A number, or `unknown`: how many Present commands will be needed. */
      bunches: text,
      storage: z
        .object({
          in: dictionary(StorageCashIn, UNIT_ID).optional(),
          out: dictionary(StorageCashOut, UNIT_ID).optional(),
        })
        .optional(),
    }),
    write1: (payload: JsonObject) => ({ ...payload, denomination: flatRequest(payload['denomination']) }),
  },
  'CashDispenser.Present': {
    payload: z.object({ position: exactly(OUTPUT_POSITIONS).optional() }),
    completion: z.object({
      /** `additionalBunches` "0" or absent: this was the last bunch. */
      position: z.object({ position: oneOf(POSITIONS), additionalBunches: text }).optional(),
    }),
    read: wrapPosition,
  },
  'CashDispenser.Reject': { payload: nothing, completion: nothing },
  'CashDispenser.GetPresentStatus': {
    payload: z.object({
      position: exactly(OUTPUT_POSITIONS).optional(),
      nonce: z
        .string()
        .regex(/^(?:[0-9A-F]{32}|[0-9]{1,100})$/)
        .optional(),
    }),
    completion: z.object({
      denomination: Result.optional(),
      presentState: oneOf(['presented', 'notPresented']),
      token: text,
    }),
  },
  'CashDispenser.Count': {
    payload: z.object({ unit: text, position: exactly(OUTPUT_POSITIONS).optional() }),
    completion: z.object({
      countedCashUnits: dictionary(
        z.object({ dispensed: count, counted: count, replenishmentStatus: text, status: text }),
        UNIT_ID,
      ).optional(),
    }),
  },
  'CashDispenser.PrepareDispense': { payload: z.object({ action: exactly(['start', 'stop']) }), completion: nothing },
  'CashDispenser.TestCashUnits': { payload: z.object({ target: Target.optional() }), completion: nothing },
} as const;

export const cashDispenserEvents = {
  'CashDispenser.StartDispenseEvent': ofCommand(nothing),
  'CashDispenser.DelayedDispenseEvent': ofCommand(z.object({ /** Seconds. */ delay: number })),
  /** What really was dispensed; it lies on the stacker though the command ends with an error. */
  'CashDispenser.IncompleteDispenseEvent': ofCommand(Result),
} as const;
