/** XFS4IoT 2024-3, Storage: the units that hold items, what is in them, and the exchange of units. */
import { z } from 'zod';
import { Counts } from './cash-counts.ts';
import { bool, count, dictionary, flags, nothing, number, ofCommand, oneOf, text, unsolicited } from './lenient.ts';

export const UNIT_ID = /^unit[0-9A-Za-z]+$/;

const TYPES = ['cashIn', 'cashOut', 'replenishment', 'cashInRetract', 'cashOutRetract', 'reject'] as const;
const ITEMS = ['fit', 'unfit', 'unrecognized', 'counterfeit', 'suspect', 'inked', 'coupon', 'document'] as const;

/** Items that entered a unit since it was last replenished. */
export const StorageCashIn = z.object({
  retractOperations: count,
  deposited: Counts,
  retracted: Counts,
  rejected: Counts,
  distributed: Counts,
  transport: Counts,
});

/** Items that left a unit since it was last replenished; stacked, diverted and transport are on their way. */
export const StorageCashOut = z.object({
  presented: Counts,
  rejected: Counts,
  distributed: Counts,
  unknown: Counts,
  stacked: Counts,
  diverted: Counts,
  transport: Counts,
});

export const StorageUnit = z.object({
  id: text,
  positionName: text,
  capacity: count,
  status: oneOf(['ok', 'inoperative', 'missing', 'notConfigured', 'manipulated']),
  serialNumber: text,
  cash: z
    .object({
      capabilities: z
        .object({
          types: flags(TYPES),
          items: flags(ITEMS),
          hardwareSensors: bool,
          retractAreas: count,
          retractThresholds: bool,
          cashItems: z.array(z.string()).optional(),
        })
        .optional(),
      configuration: z
        .object({
          types: flags(TYPES),
          items: flags(ITEMS),
          currency: text,
          /** Major units. */
          value: number,
          highThreshold: count,
          lowThreshold: count,
          appLockIn: bool,
          appLockOut: bool,
          cashItems: z.array(z.string()).optional(),
          name: text,
          maxRetracts: count,
        })
        .optional(),
      status: z
        .object({
          index: count,
          initial: Counts,
          out: StorageCashOut.optional(),
          in: StorageCashIn.optional(),
          accuracy: oneOf(['accurate', 'accurateSet', 'inaccurate']),
          replenishmentStatus: oneOf(['ok', 'full', 'high', 'low', 'empty']),
          operationStatus: oneOf(['dispenseInoperative', 'depositInoperative']),
        })
        .optional(),
    })
    .optional(),
});
export type StorageUnit = z.output<typeof StorageUnit>;

export const Units = dictionary(StorageUnit, UNIT_ID);

/** Counts as we send them, flat as on the wire. */
const SentCounts = z.record(
  z.string(),
  z.union([
    z.int().nonnegative(),
    z.object({
      fit: count,
      unfit: count,
      suspect: count,
      counterfeit: count,
      inked: count,
    }),
  ]),
);

const SetUnit = z.object({
  cash: z.object({
    configuration: z
      .object({
        types: flags(TYPES),
        items: flags(ITEMS),
        currency: text,
        value: number,
        highThreshold: count,
        lowThreshold: count,
        appLockIn: bool,
        appLockOut: bool,
        cashItems: z.array(z.string()).optional(),
        name: text,
        maxRetracts: count,
      })
      .optional(),
    status: z.object({ initial: SentCounts.optional() }).optional(),
  }),
});

export const storageCommands = {
  'Storage.GetStorage': { payload: nothing, completion: z.object({ storage: Units.optional() }) },
  'Storage.SetStorage': { payload: z.object({ storage: z.record(z.string(), SetUnit) }), completion: nothing },
  'Storage.StartExchange': { payload: nothing, completion: nothing },
  'Storage.EndExchange': { payload: nothing, completion: nothing },
} as const;

const FAILURES = [
  'empty',
  'error',
  'full',
  'locked',
  'invalid',
  'config',
  'notConfigured',
  'feedModuleProblem',
  'physicalLocked',
  'physicalUnlocked',
] as const;

export const storageEvents = {
  'Storage.StorageChangedEvent': unsolicited(Units),
  'Storage.CountsChangedEvent': unsolicited(Units),
  'Storage.StorageThresholdEvent': unsolicited(Units),
  'Storage.StorageErrorEvent': ofCommand(z.object({ failure: oneOf(FAILURES), unit: Units.optional() })),
} as const;
