/** Where a layer of a scene is at a moment. Pure; pixels of the frame. */
import type { SceneLayer } from '../../src-contract/screen.ts';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from './frame-size.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface LayerPlace extends Size {
  readonly centreX: number;
  readonly centreY: number;
  readonly rotationRad: number;
  readonly borderPx: number;
  /** The part of the picture, in its own pixels, that fills the layer: its middle, in the layer's shape. */
  readonly crop: Size & { readonly x: number; readonly y: number };
}

/** A hand does not sway along a line: the vertical swing is smaller and takes longer, so that the way never repeats soon. */
const VERTICAL_SWAY = 0.6;
const VERTICAL_PERIOD = 1.37;

export function placeLayer(layer: SceneLayer, picture: Size, atS: number): LayerPlace {
  const width = layer.width * FRAME_WIDTH_PX;
  const height = layer.height * FRAME_HEIGHT_PX;
  const turn = layer.drift ? (2 * Math.PI * atS) / layer.drift.periodS : 0;
  const amplitude = layer.drift?.amplitude ?? 0;
  const scale = Math.max(width / picture.width, height / picture.height);
  const crop = { width: width / scale, height: height / scale };
  return {
    centreX: layer.x * FRAME_WIDTH_PX + width / 2 + amplitude * FRAME_WIDTH_PX * Math.sin(turn),
    centreY:
      layer.y * FRAME_HEIGHT_PX +
      height / 2 +
      amplitude * VERTICAL_SWAY * FRAME_HEIGHT_PX * Math.sin(turn / VERTICAL_PERIOD),
    width,
    height,
    rotationRad: (layer.rotationDeg * Math.PI) / 180,
    borderPx: (layer.border?.width ?? 0) * width,
    crop: { ...crop, x: (picture.width - crop.width) / 2, y: (picture.height - crop.height) / 2 },
  };
}
