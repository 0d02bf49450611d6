/** XFS4IoT 2024-3, CashManagement: what dispensers and acceptors share. */
import { z } from 'zod';
import { Counts, ITEM_ID } from './cash-counts.ts';
import {
  bool,
  count,
  dictionary,
  exactly,
  flags,
  integer,
  isObject,
  type JsonObject,
  nothing,
  ofCommand,
  oneOf,
  text,
  unsolicited,
} from './lenient.ts';
import { flatPosition, OUTPUT_POSITIONS, POSITIONS, RESET_TARGETS, RETRACT_AREAS } from './positions.ts';
import { StorageCashIn, UNIT_ID } from './storage.ts';

export const NOTE_LEVELS = ['unrecognized', 'counterfeit', 'suspect', 'fit', 'unfit', 'inked'] as const;

/** Where items ended up that were taken back: per unit, or on the way. */
const Moved = z.object({
  storage: dictionary(StorageCashIn, UNIT_ID).optional(),
  transport: Counts,
  stacker: Counts,
});

const Position = z.object({ position: exactly(POSITIONS).optional() });
const PositionEvent = z.object({ position: oneOf(POSITIONS), additionalBunches: text });

/** 2021-1 wrote the contents of `location` and `position` at the top level. */
const unwrap = (name: string) => (payload: JsonObject) => {
  const { [name]: inner, ...rest } = payload;
  return isObject(inner) ? { ...rest, ...inner } : payload;
};

export const cashManagementCommands = {
  'CashManagement.GetBankNoteTypes': {
    payload: nothing,
    completion: z.object({
      items: dictionary(
        z.object({
          cashItem: z
            .object({ noteID: integer, currency: text, value: z.number().optional(), release: integer })
            .optional(),
          enabled: bool,
        }),
        ITEM_ID,
      ).optional(),
    }),
  },
  'CashManagement.GetItemInfo': {
    payload: z.object({
      items: z.object({ level: exactly(NOTE_LEVELS).optional(), index: count }).optional(),
      itemInfoType: flags(['serialNumber', 'signature', 'image']),
    }),
    completion: z.object({
      itemsList: z
        .array(
          z.object({
            noteType: text,
            orientation: oneOf(['frontTop', 'frontBottom', 'backTop', 'backBottom']),
            signature: text,
            level: oneOf(NOTE_LEVELS),
            serialNumber: text,
            image: text,
            onClassificationList: oneOf([
              'onClassificationList',
              'notOnClassificationList',
              'classificationListUnknown',
            ]),
            itemLocation: text,
          }),
        )
        .optional(),
    }),
  },
  'CashManagement.OpenShutter': { payload: Position, completion: nothing },
  'CashManagement.CloseShutter': { payload: Position, completion: nothing },
  'CashManagement.Retract': {
    payload: z.object({
      location: z.object({
        outputPosition: exactly(OUTPUT_POSITIONS).optional(),
        retractArea: exactly(RETRACT_AREAS).optional(),
        index: z.int().min(1).optional(),
      }),
    }),
    completion: Moved,
    write1: unwrap('location'),
  },
  'CashManagement.Reset': {
    payload: z.object({
      position: z.object({ target: exactly(RESET_TARGETS), unit: text, index: z.int().min(1).optional() }).optional(),
    }),
    completion: Moved,
    write1: unwrap('position'),
  },
} as const;

export const cashManagementEvents = {
  'CashManagement.ItemsTakenEvent': unsolicited(PositionEvent, flatPosition),
  'CashManagement.ItemsInsertedEvent': unsolicited(PositionEvent, flatPosition),
  'CashManagement.ItemsPresentedEvent': unsolicited(PositionEvent, flatPosition),
  'CashManagement.MediaDetectedEvent': unsolicited(
    z.object({ target: oneOf(RESET_TARGETS), unit: text, index: count }),
  ),
  'CashManagement.ShutterStatusChangedEvent': unsolicited(
    z.object({ position: oneOf(POSITIONS), shutter: oneOf(['closed', 'open', 'jammed']) }),
    flatPosition,
  ),
  'CashManagement.NoteErrorEvent': ofCommand(
    z.object({
      reason: oneOf([
        'doubleNote',
        'longNote',
        'skewedNote',
        'incorrectCount',
        'notesTooClose',
        'otherNoteError',
        'shortNote',
      ]),
    }),
  ),
  'CashManagement.InfoAvailableEvent': ofCommand(
    z.object({ itemInfoSummary: z.array(z.object({ level: oneOf(NOTE_LEVELS), numOfItems: count })).optional() }),
  ),
  'CashManagement.IncompleteRetractEvent': ofCommand(
    z.object({
      itemNumberList: dictionary(StorageCashIn, UNIT_ID).optional(),
      reason: oneOf(['retractFailure', 'retractAreaFull', 'foreignItemsDetected', 'invalidBunch']),
    }),
  ),
} as const;
