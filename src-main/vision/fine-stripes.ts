/**
 * Fine regular stripes on a face, as the pixel grid of a screen leaves them: where the grid is finer than the camera's, the two beat
 * (moiré), and the beat is a single wave. Skin, hair and sensor noise have no frequency that stands out of those near it.
 */
import type { Box } from './observation.ts';
import type { Raster } from './resample.ts';

/** Two squares of this side, left and right of the face's middle, in pixels of the frame: resampling would move the waves. */
const SIDE = 64;
const BITS = 6;
/** Periods longer than about SIDE / 8 px may be features of a face. */
const FREQUENCY_MIN = 8;
const HANN = Float64Array.from({ length: SIDE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / SIDE));
const COS = Float64Array.from({ length: SIDE / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / SIDE));
const SIN = Float64Array.from({ length: SIDE / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / SIDE));
const REVERSED = Uint8Array.from({ length: SIDE }, (_, i) => {
  let reversed = 0;
  for (let bit = 0; bit < BITS; bit++) if ((i >> bit) & 1) reversed |= 1 << (BITS - 1 - bit);
  return reversed;
});
/** Of every frequency of the upper half plane its distance from 0, rounded; 0 where it is not looked at. */
const RING = new Uint8Array(SIDE * (SIDE / 2 + 1));
const RINGS = 46;
for (let v = 0, at = 0; v < SIDE; v++) {
  for (let u = 0; u <= SIDE / 2; u++, at++) {
    const radius = Math.round(Math.hypot(v <= SIDE / 2 ? v : v - SIDE, u));
    RING[at] = radius >= FREQUENCY_MIN && radius < RINGS ? radius : 0;
  }
}

const real = new Float64Array(SIDE * SIDE);
const imaginary = new Float64Array(SIDE * SIDE);
const logs = new Float64Array(RING.length);

/**
 * By how many powers of ten the strongest single wave on the face exceeds the waves of like period (geometric mean of its ring in the
 * spectrum). About 1 for a face; 0 where the frame is smaller than what is looked at.
 */
export function stripeStrength(frame: Raster, face: Box): number {
  if (frame.width < 2 * SIDE || frame.height < SIDE) return 0;
  const left = Math.round(Math.min(Math.max(face.x + face.width / 2 - SIDE, 0), frame.width - 2 * SIDE));
  const top = Math.round(Math.min(Math.max(face.y + face.height / 2 - SIDE / 2, 0), frame.height - SIDE));
  // The left square is the real part, the right one the imaginary: one transform for both (green carries most of the brightness).
  let meanLeft = 0;
  let meanRight = 0;
  for (let v = 0, to = 0; v < SIDE; v++) {
    const from = (top + v) * frame.width + left;
    for (let u = 0; u < SIDE; u++, to++) {
      meanLeft += real[to] = (frame.words[from + u]! >> 8) & 255;
      meanRight += imaginary[to] = (frame.words[from + SIDE + u]! >> 8) & 255;
    }
  }
  meanLeft /= SIDE * SIDE;
  meanRight /= SIDE * SIDE;
  for (let v = 0, at = 0; v < SIDE; v++) {
    for (let u = 0; u < SIDE; u++, at++) {
      const weight = HANN[v]! * HANN[u]!;
      real[at] = (real[at]! - meanLeft) * weight;
      imaginary[at] = (imaginary[at]! - meanRight) * weight;
    }
  }
  for (let v = 0; v < SIDE; v++) transform(v * SIDE, 1, 1);
  transform(0, SIDE, SIDE);
  return prominence();
}

function prominence(): number {
  const sums = new Float64Array(RINGS);
  const counts = new Float64Array(RINGS);
  const mask = SIDE - 1;
  for (let v = 0, at = 0; v < SIDE; v++) {
    for (let u = 0; u <= SIDE / 2; u++, at++) {
      const ring = RING[at]!;
      if (ring === 0) continue;
      // Power of both squares: that of the sum of both at this frequency and at its negative.
      const here = v * SIDE + (u & mask);
      const there = ((SIDE - v) & mask) * SIDE + ((SIDE - u) & mask);
      const power = real[here]! ** 2 + imaginary[here]! ** 2 + real[there]! ** 2 + imaginary[there]! ** 2;
      const log = Math.log10(power + 1e-3);
      logs[at] = log;
      sums[ring]! += log;
      counts[ring]!++;
    }
  }
  let highest = 0;
  for (let at = 0; at < logs.length; at++) {
    const ring = RING[at]!;
    if (ring !== 0) highest = Math.max(highest, logs[at]! - sums[ring]! / counts[ring]!);
  }
  return highest;
}

/** Discrete Fourier transform in place of SIDE values that lie `step` apart (J. W. Cooley, J. W. Tukey, 1965), and of `many` such that
 *  begin side by side: all of them at once, since memory is fast in its own order. */
function transform(start: number, step: number, many: number): void {
  for (let i = 0; i < SIDE; i++) {
    const j = REVERSED[i]!;
    if (j <= i) continue;
    for (let n = 0, a = start + i * step, b = start + j * step; n < many; n++, a++, b++) {
      const re = real[a]!;
      const im = imaginary[a]!;
      real[a] = real[b]!;
      imaginary[a] = imaginary[b]!;
      real[b] = re;
      imaginary[b] = im;
    }
  }
  for (let half = 1; half < SIDE; half <<= 1) {
    const stride = SIDE / 2 / half;
    for (let k = 0; k < half; k++) {
      const wr = COS[k * stride]!;
      const wi = SIN[k * stride]!;
      for (let block = k; block < SIDE; block += 2 * half) {
        for (let n = 0, a = start + block * step, b = a + half * step; n < many; n++, a++, b++) {
          const rb = real[b]!;
          const ib = imaginary[b]!;
          const re = rb * wr - ib * wi;
          const im = rb * wi + ib * wr;
          real[b] = real[a]! - re;
          imaginary[b] = imaginary[a]! - im;
          real[a]! += re;
          imaginary[a]! += im;
        }
      }
    }
  }
}
