/**
 * From frame to tensor in one pass: an affine map, bilinear interpolation, colour order and normalisation together, straight
 * into the model's input. Pixel centres are at +0.5, as in OpenCV's resize. Outside the frame the nearest pixel counts.
 */
import type { Box } from './observation.ts';

/** RGBA packed into one little-endian word per pixel: red is the lowest byte. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly words: Uint32Array;
}

/** Target pixel (u, v) shows the source at (a·u + b·v + x, c·u + d·v + y), both counted from the top left pixel's centre. */
export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly x: number;
  readonly c: number;
  readonly d: number;
  readonly y: number;
}

/** How colours become tensor values; see InputSpec in manifest.ts. */
export interface Normalisation {
  readonly width: number;
  readonly height: number;
  readonly channels: 'rgb' | 'bgr' | 'grey';
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

export function rasterOf(width: number, height: number, pixels: Uint8Array): Raster {
  const aligned = pixels.byteOffset % 4 === 0 ? pixels : pixels.slice();
  return { width, height, words: new Uint32Array(aligned.buffer, aligned.byteOffset, width * height) };
}

/** The map that shows `box` of the source on a width × height target. */
export function boxMap(box: Box, width: number, height: number): Affine {
  const a = box.width / width;
  const d = box.height / height;
  return { a, b: 0, x: box.x + a / 2 - 0.5, c: 0, d, y: box.y + d / 2 - 0.5 };
}

/** Fills `out` (planar, channels × height × width). */
export function sample(source: Raster, map: Affine, target: Normalisation, out: Float32Array): void {
  const { words, width: sourceWidth } = source;
  const xMax = source.width - 1;
  const yMax = source.height - 1;
  const { width, height } = target;
  const plane = width * height;
  const grey = target.channels === 'grey';
  // Plane that red and blue go to; the mean and scale belong to the plane.
  const redPlane = target.channels === 'bgr' ? 2 : 0;
  const bluePlane = 2 - redPlane;
  const redAt = redPlane * plane;
  const blueAt = bluePlane * plane;
  const mean0 = target.mean[0]!;
  const scale0 = target.scale[0]!;
  const redMean = target.mean[redPlane] ?? 0;
  const greenMean = target.mean[1] ?? 0;
  const blueMean = target.mean[bluePlane] ?? 0;
  const redScale = target.scale[redPlane] ?? 1;
  const greenScale = target.scale[1] ?? 1;
  const blueScale = target.scale[bluePlane] ?? 1;
  if (!grey && isHalving(map, source, target)) {
    halve();
    return;
  }
  let to = 0;
  for (let v = 0; v < height; v++) {
    const rowX = map.b * v + map.x;
    const rowY = map.d * v + map.y;
    for (let u = 0; u < width; u++, to++) {
      const sx = rowX + map.a * u;
      const sy = rowY + map.c * u;
      const cx = sx < 0 ? 0 : Math.min(sx, xMax);
      const cy = sy < 0 ? 0 : Math.min(sy, yMax);
      const x0 = cx | 0;
      const y0 = cy | 0;
      const fx = cx - x0;
      const fy = cy - y0;
      const at = y0 * sourceWidth + x0;
      const right = x0 < xMax ? 1 : 0;
      const down = y0 < yMax ? sourceWidth : 0;
      const p00 = words[at]!;
      const p01 = words[at + right]!;
      const p10 = words[at + down]!;
      const p11 = words[at + down + right]!;
      const w11 = fx * fy;
      const w01 = fx - w11;
      const w10 = fy - w11;
      const w00 = 1 - fx - w10;
      const red = (p00 & 255) * w00 + (p01 & 255) * w01 + (p10 & 255) * w10 + (p11 & 255) * w11;
      const green =
        ((p00 >> 8) & 255) * w00 + ((p01 >> 8) & 255) * w01 + ((p10 >> 8) & 255) * w10 + ((p11 >> 8) & 255) * w11;
      const blue =
        ((p00 >> 16) & 255) * w00 + ((p01 >> 16) & 255) * w01 + ((p10 >> 16) & 255) * w10 + ((p11 >> 16) & 255) * w11;
      if (grey) {
        // ITU-R BT.601 luma, as OpenCV's BGR2GRAY.
        out[to] = (0.299 * red + 0.587 * green + 0.114 * blue - mean0) * scale0;
      } else {
        out[to + redAt] = (red - redMean) * redScale;
        out[to + plane] = (green - greenMean) * greenScale;
        out[to + blueAt] = (blue - blueMean) * blueScale;
      }
    }
  }

  /** Every target pixel is the mean of four: the usual camera and detector, where this is half of the resampling time.
   *  Red and blue are added in one word; four times 255 does not reach the next byte's neighbour. */
  function halve(): void {
    for (let v = 0, to = 0; v < height; v++) {
      for (let u = 0, at = 2 * v * sourceWidth; u < width; u++, at += 2, to++) {
        const p00 = words[at]!;
        const p01 = words[at + 1]!;
        const p10 = words[at + sourceWidth]!;
        const p11 = words[at + sourceWidth + 1]!;
        const sides = (p00 & 0xff00ff) + (p01 & 0xff00ff) + (p10 & 0xff00ff) + (p11 & 0xff00ff);
        const middle = (p00 & 0xff00) + (p01 & 0xff00) + (p10 & 0xff00) + (p11 & 0xff00);
        out[to + redAt] = ((sides & 0xffff) / 4 - redMean) * redScale;
        out[to + plane] = (middle / 1024 - greenMean) * greenScale;
        out[to + blueAt] = ((sides >>> 16) / 4 - blueMean) * blueScale;
      }
    }
  }
}

function isHalving(map: Affine, source: Raster, target: Normalisation): boolean {
  const { a, b, x, c, d, y } = map;
  const same = a === 2 && b === 0 && x === 0.5 && c === 0 && d === 2 && y === 0.5;
  return same && source.width === 2 * target.width && source.height === 2 * target.height;
}

/** Mirrors a planar image left to right into `out`. */
export function mirror(planes: Float32Array, width: number, out: Float32Array): void {
  for (let row = 0; row < planes.length; row += width) {
    for (let u = 0, from = row + width - 1; u < width; u++, from--) out[row + u] = planes[from]!;
  }
}
