/** The picture of a receipt: what a person can read of it, and that no bytes break it. */
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { receiptPicture } from './receipt-picture.ts';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));

/** Rows of the paper with ink, from first to last. */
async function inked(picture: Buffer): Promise<{ first: number; last: number; columns: number }> {
  const { data, info } = await sharp(picture).greyscale().raw().toBuffer({ resolveWithObject: true });
  const rows = new Set<number>();
  const columns = new Set<number>();
  data.forEach((value, at) => {
    if (value > 100) return;
    rows.add(Math.floor(at / info.width));
    columns.add(at % info.width);
  });
  return { first: Math.min(...rows), last: Math.max(...rows), columns: columns.size };
}

describe('the picture of a receipt', () => {
  it('shows raster dot for dot where it was printed', async () => {
    // GS v 0: 2 bytes wide, 4 rows, all black, centred.
    const picture = await receiptPicture(
      bytes([0x1b, 0x61, 1], [0x1d, 0x76, 0x30, 0, 2, 0, 4, 0], Array(8).fill(0xff)),
    );
    expect(await inked(picture)).toEqual({ first: 24, last: 27, columns: 16 });
  });

  it('shows text lower the more was fed before it', async () => {
    const high = await inked(await receiptPicture(bytes('Total 1,000\n')));
    const low = await inked(await receiptPicture(bytes([0x1b, 0x64, 3], 'Total 1,000\n')));
    expect(low.first - high.first).toBe(90);
  });

  it('says where it stops when it does not know a command', async () => {
    const plain = await sharp(await receiptPicture(bytes('A\n'))).metadata();
    const stopped = await sharp(await receiptPicture(bytes('A\n', [0x1b, 0xee], 'lost'))).metadata();
    expect(stopped.height).toBeGreaterThan(plain.height);
  });

  it('is made of any bytes at all, and stays a picture of bounded size', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.constantFrom(
        [0x1b, 0x64, 255],
        [0x1b, 0x4a, 255],
        [0x1b, 0x33, 255],
        [0x1d, 0x76, 0x30, 0, 255, 255, 255, 255],
        [0x1d, 0x21, 0x77],
        [0x3c, 0x26],
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const { width, height } = await sharp(
          await receiptPicture(Buffer.concat(pieces.map((each) => Buffer.from(each)))),
        ).metadata();
        expect(width).toBe(624);
        expect(height).toBeLessThanOrEqual(12_048);
      }),
      { numRuns: 60 },
    );
  });
});
