/**
 * XFS4IoT 2024-3, Common.Status and Common.StatusChangedEvent: one object per interface. Both have the same shape; in the
 * event, missing means unchanged.
 */
import { z } from 'zod';
import { bool, count, dictionary, integer, type JsonObject, oneOf } from './lenient.ts';
import { INPUT_POSITIONS, OUTPUT_POSITIONS } from './positions.ts';

const SHUTTERS = ['closed', 'open', 'jammedOpen', 'jammedPartiallyOpen', 'jammedClosed', 'jammedUnknown'] as const;

const OutputPositionStatus = z.object({
  position: oneOf([...OUTPUT_POSITIONS, ...INPUT_POSITIONS]),
  shutter: oneOf(SHUTTERS),
  positionStatus: oneOf(['empty', 'notEmpty', 'foreignItems']),
  transport: oneOf(['ok', 'inoperative']),
  transportStatus: oneOf(['empty', 'notEmpty', 'notEmptyCustomer']),
});

const LEVELS = ['ok', 'attention', 'stop'] as const;
const SUPPLY = ['full', 'low', 'out'] as const;

export const StatusPayload = z.object({
  common: z
    .object({
      device: oneOf([
        'online',
        'offline',
        'powerOff',
        'noDevice',
        'hardwareError',
        'userError',
        'deviceBusy',
        'fraudAttempt',
        'potentialFraud',
        'starting',
      ]),
      devicePosition: oneOf(['inPosition', 'notInPosition']),
      /** Seconds. */
      powerSaveRecoveryTime: count,
      antiFraudModule: oneOf(['ok', 'inoperable', 'deviceDetected']),
      exchange: oneOf(['active', 'inactive']),
      endToEndSecurity: oneOf(['notEnforced', 'notConfigured', 'enforced']),
      persistentDataStore: z.object({ remaining: count }).optional(),
    })
    .optional(),
  cashDispenser: z
    .object({
      intermediateStacker: oneOf(['empty', 'notEmpty', 'notEmptyCustomer', 'notEmptyUnknown']),
      positions: z.array(OutputPositionStatus).optional(),
    })
    .optional(),
  cashAcceptor: z
    .object({
      intermediateStacker: oneOf(['empty', 'notEmpty', 'full']),
      stackerItems: oneOf(['customerAccess', 'noCustomerAccess', 'accessUnknown', 'noItems']),
      banknoteReader: oneOf(['ok', 'inoperable']),
      dropBox: bool,
      positions: z.array(OutputPositionStatus).optional(),
    })
    .optional(),
  cashManagement: z.object({ dispenser: oneOf(LEVELS), acceptor: oneOf(LEVELS) }).optional(),
  keyManagement: z
    .object({
      encryptionState: oneOf(['ready', 'notReady', 'notInitialized', 'busy', 'undefined', 'initialized']),
      certificateState: oneOf(['primary', 'secondary', 'notReady']),
    })
    .optional(),
  keyboard: z
    .object({ autoBeepMode: z.object({ activeAvailable: bool, inactiveAvailable: bool }).optional() })
    .optional(),
  printer: z
    .object({
      media: oneOf(['present', 'notPresent', 'jammed', 'entering', 'retracted']),
      paper: dictionary(oneOf([...SUPPLY, 'jammed'])).optional(),
      toner: oneOf(SUPPLY),
      ink: oneOf(SUPPLY),
      lamp: oneOf(['ok', 'fading', 'inop']),
      mediaOnStacker: count,
      paperType: dictionary(oneOf(['single', 'dual'])).optional(),
      blackMarkMode: oneOf(['on', 'off']),
    })
    .optional(),
  barcodeReader: z.object({ scanner: oneOf(['on', 'off', 'inoperative']) }).optional(),
  /** Per light, per position. */
  lights: dictionary(
    dictionary(
      z.object({
        flashRate: oneOf(['off', 'slow', 'medium', 'quick', 'continuous']),
        color: oneOf(['red', 'green', 'yellow', 'blue', 'cyan', 'magenta', 'white']),
        direction: oneOf(['entry', 'exit']),
      }),
    ),
  ).optional(),
  camera: z
    .object({
      media: dictionary(oneOf(['ok', 'high', 'full'])).optional(),
      cameras: dictionary(oneOf(['ok', 'inoperative'])).optional(),
      pictures: dictionary(z.int()).optional(),
    })
    .optional(),
  biometric: z
    .object({
      subject: oneOf(['present', 'notPresent']),
      capture: bool,
      dataPersistence: oneOf(['persist', 'clear']),
      remainingStorage: integer,
    })
    .optional(),
});

/** 2021-1 and some messages of later editions say `inop` where the standard says `inoperative`. */
export function readStatus(payload: JsonObject): JsonObject {
  const camera = payload['camera'] as JsonObject | undefined;
  const cameras = camera?.['cameras'];
  if (typeof cameras !== 'object' || cameras === null) return payload;
  const spelled = Object.entries(cameras).map(([name, state]) => [name, state === 'inop' ? 'inoperative' : state]);
  return { ...payload, camera: { ...camera, cameras: Object.fromEntries(spelled) } };
}
