/** XFS4IoT 2024-3, Common.Capabilities: what a service can do; it stays the same while it runs. */
import { z } from 'zod';
import { AcceptorPosition } from './cash-acceptor.ts';
import { NOTE_LEVELS } from './cash-management.ts';
import { bool, count, dictionary, flags, integer, isObject, type JsonObject, oneOf, text } from './lenient.ts';
import { CRYPTO_METHODS, PIN_FORMATS } from './pin-pad.ts';
import { RETRACT_AREAS } from './positions.ts';

const Versions = z.object({ versions: z.array(z.string()).optional() });

const Interface = z.object({
  name: z.string(),
  commands: dictionary(Versions).optional(),
  events: dictionary(Versions).optional(),
  /** 0: no limit. */
  maximumRequests: count,
});

const RETRACT_ACTIONS = ['present', 'retract', 'reject', 'itemCassette', 'cashIn'] as const;
const MOVE_ITEMS = ['fromCashUnit', 'toCashUnit', 'toTransport', 'toStacker'] as const;

export const CapabilitiesPayload = z.object({
  interfaces: z.array(Interface).optional(),
  common: z
    .object({
      serviceVersion: text,
      deviceInformation: z
        .array(
          z.object({
            modelName: text,
            serialNumber: text,
            revisionNumber: text,
            modelDescription: text,
            firmware: z
              .array(z.object({ firmwareName: text, firmwareVersion: text, hardwareRevision: text }))
              .optional(),
            software: z.array(z.object({ softwareName: text, softwareVersion: text })).optional(),
          }),
        )
        .optional(),
      powerSaveControl: bool,
      antiFraudModule: bool,
      /** Absent: no end-to-end security. */
      endToEndSecurity: z
        .object({
          required: oneOf(['ifConfigured', 'always']),
          hardwareSecurityElement: bool,
          /** Absent: cannot make response tokens. */
          responseSecurityEnabled: oneOf(['ifConfigured', 'always']),
          /** Commands that need a token; where the list is absent, CashDispenser.Dispense. */
          commands: z.array(z.string()).optional(),
          /** Seconds; 0: never. */
          commandNonceTimeout: count,
        })
        .optional(),
      persistentDataStore: z.object({ capacity: count }).optional(),
    })
    .optional(),
  cashDispenser: z
    .object({
      type: oneOf(['tellerBill', 'selfServiceBill', 'tellerCoin', 'selfServiceCoin']),
      maxDispenseItems: count,
      /** True: the device moves its shutter by itself. */
      shutterControl: bool,
      retractAreas: flags(RETRACT_AREAS),
      retractTransportActions: flags(RETRACT_ACTIONS),
      retractStackerActions: flags(RETRACT_ACTIONS),
      intermediateStacker: bool,
      itemsTakenSensor: bool,
      positions: flags(['left', 'right', 'center', 'top', 'bottom', 'front', 'rear']),
      moveItems: flags(MOVE_ITEMS),
    })
    .optional(),
  cashAcceptor: z
    .object({
      type: text,
      maxCashInItems: count,
      shutter: bool,
      shutterControl: bool,
      /** Size of the escrow; absent: none, and so no rollback. */
      intermediateStacker: count,
      itemsTakenSensor: bool,
      itemsInsertedSensor: bool,
      positions: z.array(AcceptorPosition).optional(),
      retractAreas: flags(RETRACT_AREAS),
      retractTransportActions: flags(RETRACT_ACTIONS),
      retractStackerActions: flags(RETRACT_ACTIONS),
      cashInLimit: flags(['byTotalItems', 'byAmount']),
      countActions: flags(['individual', 'all']),
      retainAction: flags(['counterfeit', 'suspect', 'inked']),
    })
    .optional(),
  cashManagement: z
    .object({
      cashBox: bool,
      exchangeType: flags(['byHand']),
      itemInfoTypes: flags(['serialNumber', 'signature', 'image']),
      classificationList: bool,
      classifications: flags(NOTE_LEVELS),
    })
    .optional(),
  pinPad: z
    .object({
      pinFormats: flags(PIN_FORMATS),
      idcConnect: bool,
      pinCanPersistAfterUse: bool,
      typeCombined: bool,
      setPinblockDataRequired: bool,
      /** Key usage → algorithm → mode of use → crypto methods. */
      pinBlockAttributes: dictionary(
        dictionary(dictionary(z.object({ cryptoMethod: flags(CRYPTO_METHODS) }))),
      ).optional(),
    })
    .optional(),
  keyboard: z
    .object({
      autoBeep: flags(['activeAvailable', 'activeSelectable', 'inactiveAvailable', 'inactiveSelectable']),
      etsCaps: z.object({ xPos: integer, yPos: integer, xSize: integer, ySize: integer }).optional(),
    })
    .optional(),
  printer: z
    .object({
      type: flags(['receipt', 'passbook', 'journal', 'document', 'scanner']),
      control: flags([
        'eject',
        'perforate',
        'cut',
        'skip',
        'flush',
        'retract',
        'stack',
        'partialCut',
        'alarm',
        'pageForward',
        'pageBackward',
        'turnMedia',
        'stamp',
        'park',
        'expel',
        'ejectToTransport',
        'rotate180',
        'clearBuffer',
      ]),
      paperSources: dictionary(z.boolean()).optional(),
      mediaTaken: bool,
      mediaPresented: bool,
      /** Seconds; 0: never. */
      autoRetractPeriod: count,
      retractToTransport: bool,
      osPrinter: text,
      maxMediaOnStacker: count,
      acceptMedia: bool,
      multiPage: bool,
      dispensePaper: bool,
    })
    .optional(),
  barcodeReader: z.object({ canFilterSymbologies: bool, symbologies: dictionary(z.boolean()).optional() }).optional(),
  lights: z
    .object({
      individualFlashRates: bool,
      lights: dictionary(
        dictionary(
          z.object({
            flashRate: flags(['off', 'slow', 'medium', 'quick', 'continuous']),
            color: flags(['red', 'green', 'yellow', 'blue', 'cyan', 'magenta', 'white']),
            direction: flags(['entry', 'exit']),
          }),
        ),
      ).optional(),
    })
    .optional(),
  camera: z
    .object({
      cameras: dictionary(z.boolean()).optional(),
      maxPictures: count,
      camData: flags(['autoAdd', 'manAdd']),
      maxDataLength: count,
    })
    .optional(),
  biometric: z
    .object({
      type: dictionary(z.boolean()).optional(),
      maxCapture: count,
      templateStorage: count,
      dataFormats: dictionary(z.boolean()).optional(),
      matchSupported: oneOf(['storedMatch', 'combinedMatch']),
      scanModes: flags(['scan', 'match']),
      compareModes: flags(['verify', 'identity']),
      clearData: flags(['scannedData', 'importedData', 'setMatchedData']),
    })
    .optional(),
});

/** Early builds listed commands and events by name alone, as arrays. */
export function readCapabilities(payload: JsonObject): JsonObject {
  const { interfaces } = payload;
  if (!Array.isArray(interfaces)) return payload;
  const named = (list: unknown) =>
    Array.isArray(list) ? Object.fromEntries(list.map((name) => [String(name), { versions: [] }])) : list;
  return {
    ...payload,
    interfaces: interfaces.map((one: unknown) =>
      isObject(one)
        ? Object.fromEntries(
            Object.entries(one).map(([key, value]) => [
              key,
              key === 'commands' || key === 'events' ? named(value) : value,
            ]),
          )
        : one,
    ),
  };
}
