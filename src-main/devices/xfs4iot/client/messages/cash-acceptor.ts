/** XFS4IoT 2024-3, CashAcceptor. Retract and Reset end a cash-in transaction too, and are CashManagement's. */
import { z } from 'zod';
import { Counts, holdsCounts } from './cash-counts.ts';
import { bool, count, dictionary, exactly, type JsonObject, nothing, number, ofCommand, oneOf } from './lenient.ts';
import { INPUT_POSITIONS, OUTPUT_POSITIONS, POSITIONS } from './positions.ts';
import { StorageCashIn, UNIT_ID } from './storage.ts';

const OutputPosition = exactly(OUTPUT_POSITIONS).optional();
const Deposited = z.object({ storage: dictionary(StorageCashIn, UNIT_ID).optional() });

/** 2021-1 answered CashIn with the counts at the top level. */
function wrapItems(payload: JsonObject): JsonObject {
  return !('items' in payload) && holdsCounts(payload) ? { ...payload, items: payload } : payload;
}

export const cashAcceptorCommands = {
  'CashAcceptor.CashInStart': {
    payload: z.object({
      /** Always sent: what absence means differs between publications. */
      useRecycleUnits: z.boolean(),
      outputPosition: OutputPosition,
      inputPosition: exactly(INPUT_POSITIONS).optional(),
      totalItemsLimit: count,
      amountLimit: z.array(z.object({ currency: z.string(), value: number })).optional(),
    }),
    completion: nothing,
  },
  'CashAcceptor.CashIn': {
    payload: nothing,
    /** What this CashIn accepted, not the sum of the transaction; absent when nothing was. */
    completion: z.object({ items: Counts }),
    read: wrapItems,
  },
  'CashAcceptor.CashInEnd': { payload: nothing, completion: Deposited },
  'CashAcceptor.CashInRollback': { payload: nothing, completion: Deposited },
  'CashAcceptor.GetCashInStatus': {
    payload: nothing,
    completion: z.object({
      status: oneOf(['ok', 'rollback', 'active', 'retract', 'reset']),
      numOfRefused: count,
      /** Sum of the current or last transaction. */
      noteNumberList: Counts,
    }),
  },
  'CashAcceptor.PresentMedia': { payload: z.object({ position: OutputPosition }), completion: nothing },
  'CashAcceptor.PreparePresent': { payload: z.object({ position: exactly(OUTPUT_POSITIONS) }), completion: nothing },
  'CashAcceptor.GetPresentStatus': {
    payload: nothing,
    completion: z.object({
      position: oneOf(POSITIONS),
      presentState: oneOf(['presented', 'notPresented']),
      additionalBunches: oneOf(['none', 'oneMore']),
      bunchesRemaining: count,
      returnedItems: Counts,
      totalReturnedItems: Counts,
      remainingItems: Counts,
    }),
  },
  'CashAcceptor.ConfigureNoteTypes': {
    payload: z.object({ items: z.array(z.object({ item: z.string(), enabled: z.boolean() })).min(1) }),
    completion: nothing,
  },
  'CashAcceptor.CashUnitCount': { payload: z.object({ units: z.array(z.string()).min(1) }), completion: nothing },
} as const;

export const REFUSE_REASONS = [
  'cashInUnitFull',
  'invalidBill',
  'noBillsToDeposit',
  'depositFailure',
  'commonInputComponentFailure',
  'stackerFull',
  'foreignItemsDetected',
  'invalidBunch',
  'counterfeit',
  'limitOverTotalItems',
  'limitOverAmount',
] as const;

export const cashAcceptorEvents = {
  'CashAcceptor.InsertItemsEvent': ofCommand(nothing),
  'CashAcceptor.SubCashInEvent': ofCommand(Counts),
  'CashAcceptor.InputRefuseEvent': ofCommand(z.object({ reason: oneOf(REFUSE_REASONS) })),
} as const;

/** XFS4IoT 2024-3, cashAcceptor capabilities: one position. */
export const AcceptorPosition = z.object({
  position: oneOf(POSITIONS),
  usage: z.object({ in: bool, refuse: bool, rollback: bool }).optional(),
  shutterControl: bool,
  itemsTakenSensor: bool,
  itemsInsertedSensor: bool,
  presentControl: bool,
  preparePresent: bool,
});
