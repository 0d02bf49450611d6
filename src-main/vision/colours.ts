/** Mean colours of a face and of what is around it, for a look whose lamp is the screen. Every fourth pixel of every fourth row. */
import type { Box, Colour, FaceColours } from './observation.ts';
import type { Raster } from './resample.ts';

const STRIDE = 4;
/** The inner face, in face boxes from its left and top: brows to mouth, without hair and without what is behind the ears. */
const INNER = { left: 0.25, right: 0.75, top: 0.3, bottom: 0.8 };
/** Everything within this many face widths of the face's middle, above and below, is the person. */
const PERSON_HALF_WIDTH = 1.1;
/** Fewer samples of the background, of some 19,000, are the room's corner and say nothing. */
const BACKGROUND_MIN = 200;

export function faceColours(frame: Raster, face: Box): FaceColours {
  const inner = {
    left: face.x + INNER.left * face.width,
    right: face.x + INNER.right * face.width,
    top: face.y + INNER.top * face.height,
    bottom: face.y + INNER.bottom * face.height,
  };
  const middle = face.x + face.width / 2;
  const personLeft = middle - PERSON_HALF_WIDTH * face.width;
  const personRight = middle + PERSON_HALF_WIDTH * face.width;
  const front = [0, 0, 0, 0];
  const back = [0, 0, 0, 0];
  const { words, width, height } = frame;
  for (let v = 0; v < height; v += STRIDE) {
    const inRows = v >= inner.top && v < inner.bottom;
    for (let u = 0; u < width; u += STRIDE) {
      const sums =
        u < personLeft || u >= personRight ? back : inRows && u >= inner.left && u < inner.right ? front : null;
      if (sums === null) continue;
      const word = words[v * width + u]!;
      sums[0]! += word & 255;
      sums[1]! += (word >> 8) & 255;
      sums[2]! += (word >> 16) & 255;
      sums[3]!++;
    }
  }
  const mean = ([red, green, blue, count]: number[]): Colour =>
    count ? [red! / count, green! / count, blue! / count] : [0, 0, 0];
  return { face: mean(front), background: back[3]! >= BACKGROUND_MIN ? mean(back) : null };
}
