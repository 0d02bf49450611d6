/** A photograph as a camera's frame: upright, and as large as a terminal's. */
import sharp from 'sharp';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from '../../src-renderer/camera/frame-size.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly pixels: Uint8Array;
}

/** "whole": in the middle of a frame, black beside it. "bare": the picture alone, for edges beside it would be a cue of an attack. */
export type Framing = 'whole' | 'bare';

/** Null where the bytes are no image that can be read to its end. */
export async function pictureOf(bytes: Uint8Array, framing: Framing): Promise<Picture | null> {
  if (bytes.length === 0) return null;
  try {
    const fit = framing === 'whole' ? 'contain' : 'inside';
    const image = sharp(bytes, { failOn: 'error' })
      .autoOrient()
      .resize(FRAME_WIDTH_PX, FRAME_HEIGHT_PX, { fit, background: '#000' });
    const { data, info } = await image
      .removeAlpha()
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: new Uint8Array(data) };
  } catch {
    return null;
  }
}
