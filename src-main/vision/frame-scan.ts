/** One walk over a frame's raw pixels: its digest, and its brightness on a coarse grid for what needs no detail. */
import type { Raster } from './resample.ts';

export interface FrameScan {
  /** 64 bits, hex. Tells frames apart; not a cryptographic hash. */
  readonly digest: string;
  /** Mean green, 0…255, of square cells; green carries most of the brightness and is what sensors sample most. */
  readonly cells: Grid;
}

export interface Grid {
  readonly width: number;
  readonly height: number;
  /** Frame pixels per cell and side. */
  readonly cellPx: number;
  readonly values: Float32Array;
}

/** Cells across the frame's longer side, about; enough for a sheet's edge, little enough to average sensor noise. */
const CELLS_ACROSS = 160;

export function scanFrame(frame: Raster): FrameScan {
  const cellPx = Math.max(1, Math.round(Math.max(frame.width, frame.height) / CELLS_ACROSS));
  const width = Math.floor(frame.width / cellPx);
  const height = Math.floor(frame.height / cellPx);
  const values = new Float32Array(width * height);
  const { words } = frame;
  let one = 0x9e3779b9;
  let other = 0x85ebca6b;
  for (let v = 0; v < frame.height; v++) {
    const row = v * frame.width;
    const cellRow = Math.floor(v / cellPx);
    const inGrid = cellRow < height;
    let at = row;
    for (let cell = 0; cell < width; cell++) {
      let sum = 0;
      for (const end = row + (cell + 1) * cellPx; at < end; at++) {
        const word = words[at]!;
        // Two FNV-1a-like lanes with different multipliers (public domain, G. Fowler et al.), a word at a time.
        one = Math.imul(one ^ word, 0x01000193);
        other = Math.imul(other ^ word, 0x5bd1e995) ^ (other >>> 15);
        sum += (word >> 8) & 255;
      }
      if (inGrid) values[cellRow * width + cell]! += sum;
    }
    for (const end = row + frame.width; at < end; at++) one = Math.imul(one ^ words[at]!, 0x01000193);
  }
  const perCell = 1 / (cellPx * cellPx);
  for (let i = 0; i < values.length; i++) values[i]! *= perCell;
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return { digest: hex(one) + hex(other), cells: { width, height, cellPx, values } };
}

/** The grid averaged once more into about 16 × 12 cells. */
export function coarsen(grid: Grid, factor = 10): Float32Array {
  const width = Math.floor(grid.width / factor);
  const height = Math.floor(grid.height / factor);
  const out = new Float32Array(width * height);
  for (let v = 0; v < height * factor; v++) {
    for (let u = 0; u < width * factor; u++) {
      out[Math.floor(v / factor) * width + Math.floor(u / factor)]! += grid.values[v * grid.width + u]!;
    }
  }
  const perCell = 1 / (factor * factor);
  for (let i = 0; i < out.length; i++) out[i]! *= perCell;
  return out;
}
