/** Pictures in ESC/POS: three ways to write down the same dots. */

export interface Dots {
  readonly width: number;
  readonly height: number;
  /** One byte a dot, row by row: 0 paper, 1 black. */
  readonly dots: Uint8Array;
}

/** GS v 0 m xL xH yL yH: rows of bytes, most significant bit left. */
export function readRaster(params: Uint8Array): Dots {
  const mode = params[1]! % 48;
  const [rowBytes, height] = [word(params, 2), word(params, 4)];
  return scaled(rows(params.subarray(6), rowBytes, height), mode & 1 ? 2 : 1, mode & 2 ? 2 : 1);
}

/** GS ( L fn 112, from m on: m fn a bx by c xL xH yL yH, where x is in dots. */
export function readGraphics(params: Uint8Array): Dots {
  if (params.length < 10) throw new RangeError(`graphics of ${params.length} bytes`);
  const [width, height] = [word(params, 6), word(params, 8)];
  const all = rows(params.subarray(10), Math.ceil(width / 8), height);
  const dots = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) dots.set(all.dots.subarray(y * all.width, y * all.width + width), y * width);
  return scaled({ width, height, dots }, params[3]! % 48 || 1, params[4]! % 48 || 1);
}

/** ESC * m nL nH: columns of one or three bytes, top first. Single density is half as fine across, 8 dots a third as fine down. */
export function readColumns(params: Uint8Array): Dots {
  const mode = params[0]!;
  const width = word(params, 1);
  const parts = mode === 32 || mode === 33 ? 3 : 1;
  const dots = new Uint8Array(width * parts * 8);
  for (let column = 0; column < width; column += 1) {
    for (let row = 0; row < parts * 8; row += 1) {
      const byte = params[3 + column * parts + (row >> 3)]!;
      dots[row * width + column] = (byte >> (7 - (row & 7))) & 1;
    }
  }
  return scaled({ width, height: parts * 8, dots }, mode === 0 || mode === 32 ? 2 : 1, parts === 1 ? 3 : 1);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! + bytes[at + 1]! * 256;
}

function rows(bytes: Uint8Array, rowBytes: number, height: number): Dots {
  if (bytes.length < rowBytes * height)
    throw new RangeError(`picture of ${bytes.length} bytes, not ${rowBytes * height}`);
  const width = rowBytes * 8;
  const dots = new Uint8Array(width * height);
  for (let index = 0; index < dots.length; index += 1) {
    dots[index] = (bytes[index >> 3]! >> (7 - (index & 7))) & 1;
  }
  return { width, height, dots };
}

function scaled(image: Dots, across: number, down: number): Dots {
  if (across === 1 && down === 1) return image;
  const [width, height] = [image.width * across, image.height * down];
  const dots = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      dots[y * width + x] = image.dots[Math.floor(y / down) * image.width + Math.floor(x / across)]!;
    }
  }
  return { width, height, dots };
}
