/** XFS4IoT 2024-3: where items are put out and taken in; left out means the default. */
import { isObject, type JsonObject } from './lenient.ts';

export const OUTPUT_POSITIONS = [
  'outDefault',
  'outLeft',
  'outRight',
  'outCenter',
  'outTop',
  'outBottom',
  'outFront',
  'outRear',
] as const;

export const INPUT_POSITIONS = [
  'inDefault',
  'inLeft',
  'inRight',
  'inCenter',
  'inTop',
  'inBottom',
  'inFront',
  'inRear',
] as const;

export const POSITIONS = [...OUTPUT_POSITIONS, ...INPUT_POSITIONS] as const;

/** Where items can be sent to by Retract and Reset. */
export const RETRACT_AREAS = ['retract', 'transport', 'stacker', 'reject', 'itemCassette', 'cashIn'] as const;
export const RESET_TARGETS = ['singleUnit', ...RETRACT_AREAS, ...OUTPUT_POSITIONS] as const;

/** 2021-1 put the position of an event into an object of its own. */
export function flatPosition(payload: JsonObject): JsonObject {
  const position = payload['position'];
  return isObject(position) ? { ...payload, ...position } : payload;
}
