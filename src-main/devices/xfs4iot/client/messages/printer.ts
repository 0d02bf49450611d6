/** XFS4IoT 2024-3, Printer: raw and native jobs, and what happens to the paper. */
import { z } from 'zod';
import {
  bool,
  count,
  isObject,
  type JsonObject,
  nothing,
  number,
  ofCommand,
  oneOf,
  text,
  unsolicited,
} from './lenient.ts';

const MOVES = ['eject', 'retract', 'park', 'expel', 'ejectToTransport', 'stack'] as const;

const MediaControl = z.object({
  move: z.enum(MOVES).optional(),
  perforate: bool,
  cut: bool,
  skip: bool,
  flush: bool,
  partialCut: bool,
  alarm: bool,
  turnMedia: bool,
  stamp: bool,
  rotate180: bool,
  turnPage: z.enum(['forward', 'backward']).optional(),
});

/** 2021-1: one flat map of booleans, without `move` and `turnPage`. */
function flatControl(payload: JsonObject): JsonObject {
  const control = payload['mediaControl'];
  if (!isObject(control)) return payload;
  const { move, turnPage, ...rest } = control;
  const turned = { forward: 'pageForward', backward: 'pageBackward' }[String(turnPage)];
  return {
    ...payload,
    mediaControl: {
      ...rest,
      ...(typeof move === 'string' ? { [move]: true } : {}),
      ...(turned ? { [turned]: true } : {}),
    },
  };
}

const Media = z.object({ wadIndex: count, totalWads: count });
const Supply = z.object({ state: oneOf(['full', 'low', 'out']) });

export const printerCommands = {
  'Printer.PrintRaw': {
    /** `data`: base64 of device-specific bytes. */
    payload: z.object({ inputData: z.enum(['no', 'yes']), data: z.string() }),
    completion: z.object({ data: text }),
  },
  'Printer.PrintNative': {
    payload: z.object({ data: z.string(), mediaControl: MediaControl.optional(), paperSource: text }),
    completion: nothing,
    write1: flatControl,
  },
  /** The order of actions inside one command is not defined; where it matters, send two. */
  'Printer.ControlMedia': {
    payload: z.object({ mediaControl: MediaControl }),
    completion: nothing,
    write1: flatControl,
  },
  'Printer.RetractMedia': {
    payload: z.object({ mediaControl: text }),
    completion: z.object({ result: text }),
  },
  'Printer.Reset': { payload: z.object({ mediaControl: text }), completion: nothing },
  'Printer.SupplyReplenish': {
    payload: z.object({ upper: bool, lower: bool, aux: bool, aux2: bool, toner: bool, ink: bool, lamp: bool }),
    completion: nothing,
  },
} as const;

export const printerEvents = {
  'Printer.MediaPresentedEvent': ofCommand(Media),
  'Printer.MediaPresentedUnsolicitedEvent': unsolicited(Media),
  'Printer.MediaTakenEvent': unsolicited(nothing),
  /** `transport`, `jammed` or a unit. */
  'Printer.MediaAutoRetractedEvent': unsolicited(z.object({ result: text })),
  /** `present`, `entering`, `jammed`, `unknown`, `expelled` or a unit. */
  'Printer.MediaDetectedEvent': unsolicited(z.object({ position: text })),
  'Printer.PaperThresholdEvent': unsolicited(z.object({ paperSource: text, threshold: oneOf(['full', 'low', 'out']) })),
  'Printer.TonerThresholdEvent': unsolicited(Supply),
  'Printer.InkThresholdEvent': unsolicited(Supply),
  'Printer.RetractBinThresholdEvent': unsolicited(
    z.object({ binNumber: number, state: oneOf(['ok', 'full', 'high']) }),
  ),
  'Printer.RetractBinStatusEvent': unsolicited(z.object({ binNumber: number, state: oneOf(['inserted', 'removed']) })),
  'Printer.NoMediaEvent': ofCommand(z.object({ userPrompt: text })),
  'Printer.MediaInsertedEvent': ofCommand(nothing),
  'Printer.MediaRejectedEvent': ofCommand(
    z.object({
      reason: oneOf(['short', 'long', 'multiple', 'align', 'moveToAlign', 'shutter', 'escrow', 'thick', 'other']),
    }),
  ),
} as const;
