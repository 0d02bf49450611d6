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
  if (target.channels === 'grey') sampleGrey(source, map, target, out);
  else sampleColours(source, map, target, out);
}

/** Per colour: where its plane begins, and the plane's own mean and scale. */
export function planesOf({ width, height, channels, mean, scale }: Normalisation) {
  const plane = (index: number) => ({ at: index * width * height, mean: mean[index] ?? 0, scale: scale[index] ?? 1 });
  const red = channels === 'bgr' ? 2 : 0;
  return { red: plane(red), green: plane(1), blue: plane(2 - red) };
}

function sampleColours(source: Raster, map: Affine, target: Normalisation, out: Float32Array): void {
  const { words, width: sourceWidth } = source;
  const xMax = source.width - 1;
  const yMax = source.height - 1;
  const { a, b, c, d } = map;
  const { width, height } = target;
  const { red, green, blue } = planesOf(target);
  const [redAt, greenAt, blueAt] = [red.at, green.at, blue.at];
  const [redMean, greenMean, blueMean] = [red.mean, green.mean, blue.mean];
  const [redScale, greenScale, blueScale] = [red.scale, green.scale, blue.scale];
  const inside = isInside(source, map, target);
  for (let v = 0, to = 0; v < height; v++) {
    const rowX = b * v + map.x;
    const rowY = d * v + map.y;
    for (let u = 0; u < width; u++, to++) {
      let sx = rowX + a * u;
      let sy = rowY + c * u;
      let right = 1;
      let down = sourceWidth;
      if (!inside) {
        sx = sx < 0 ? 0 : Math.min(sx, xMax);
        sy = sy < 0 ? 0 : Math.min(sy, yMax);
        if (sx >= xMax) right = 0;
        if (sy >= yMax) down = 0;
      }
      const x0 = sx | 0;
      const y0 = sy | 0;
      const fx = sx - x0;
      const fy = sy - y0;
      const at = y0 * sourceWidth + x0;
      const p00 = words[at]!;
      const p01 = words[at + right]!;
      const p10 = words[at + down]!;
      const p11 = words[at + down + right]!;
      const w11 = fx * fy;
      const w01 = fx - w11;
      const w10 = fy - w11;
      const w00 = 1 - fx - w10;
      out[to + redAt] =
        ((p00 & 255) * w00 + (p01 & 255) * w01 + (p10 & 255) * w10 + (p11 & 255) * w11 - redMean) * redScale;
      out[to + greenAt] =
        (((p00 >> 8) & 255) * w00 +
          ((p01 >> 8) & 255) * w01 +
          ((p10 >> 8) & 255) * w10 +
          ((p11 >> 8) & 255) * w11 -
          greenMean) *
        greenScale;
      out[to + blueAt] =
        (((p00 >> 16) & 255) * w00 +
          ((p01 >> 16) & 255) * w01 +
          ((p10 >> 16) & 255) * w10 +
          ((p11 >> 16) & 255) * w11 -
          blueMean) *
        blueScale;
    }
  }
}

/** ITU-R BT.601 luma, as OpenCV's BGR2GRAY: of each of the four pixels, in thousandths, before they are weighed. */
function sampleGrey(source: Raster, map: Affine, target: Normalisation, out: Float32Array): void {
  const { words, width: sourceWidth } = source;
  const xMax = source.width - 1;
  const yMax = source.height - 1;
  const { a, b, c, d } = map;
  const { width, height } = target;
  const mean = target.mean[0]!;
  const scale = target.scale[0]!;
  const inside = isInside(source, map, target);
  for (let v = 0, to = 0; v < height; v++) {
    const rowX = b * v + map.x;
    const rowY = d * v + map.y;
    for (let u = 0; u < width; u++, to++) {
      let sx = rowX + a * u;
      let sy = rowY + c * u;
      let right = 1;
      let down = sourceWidth;
      if (!inside) {
        sx = sx < 0 ? 0 : Math.min(sx, xMax);
        sy = sy < 0 ? 0 : Math.min(sy, yMax);
        if (sx >= xMax) right = 0;
        if (sy >= yMax) down = 0;
      }
      const x0 = sx | 0;
      const y0 = sy | 0;
      const fx = sx - x0;
      const fy = sy - y0;
      const at = y0 * sourceWidth + x0;
      const p00 = words[at]!;
      const p01 = words[at + right]!;
      const p10 = words[at + down]!;
      const p11 = words[at + down + right]!;
      const w11 = fx * fy;
      const w01 = fx - w11;
      const w10 = fy - w11;
      const w00 = 1 - fx - w10;
      const luma =
        (299 * (p00 & 255) + 587 * ((p00 >> 8) & 255) + 114 * ((p00 >> 16) & 255)) * w00 +
        (299 * (p01 & 255) + 587 * ((p01 >> 8) & 255) + 114 * ((p01 >> 16) & 255)) * w01 +
        (299 * (p10 & 255) + 587 * ((p10 >> 8) & 255) + 114 * ((p10 >> 16) & 255)) * w10 +
        (299 * (p11 & 255) + 587 * ((p11 >> 8) & 255) + 114 * ((p11 >> 16) & 255)) * w11;
      out[to] = (0.001 * luma - mean) * scale;
    }
  }
}

/** Whether every target pixel lies between four pixels of the source: its corners do. */
function isInside(source: Raster, { a, b, x, c, d, y }: Affine, { width, height }: Normalisation): boolean {
  return [0, width - 1].every((u) =>
    [0, height - 1].every((v) => {
      const [sx, sy] = [a * u + b * v + x, c * u + d * v + y];
      return sx >= 0.01 && sx < source.width - 1.01 && sy >= 0.01 && sy < source.height - 1.01;
    }),
  );
}

/** Mirrors a planar image left to right into `out`. */
export function mirror(planes: Float32Array, width: number, out: Float32Array): void {
  for (let row = 0; row < planes.length; row += width) {
    for (let u = 0, from = row + width - 1; u < width; u++, from--) out[row + u] = planes[from]!;
  }
}
