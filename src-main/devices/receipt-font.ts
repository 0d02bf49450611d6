/**
 * The font of receipts, without any font installed: Noto Sans JP as packaged by Fontsource. Pango, which draws for sharp, takes no
 * WOFF, so its tables are unwrapped (WOFF File Format 1.0, W3C Recommendation, section 3 to 5) into an OpenType file in a
 * private folder, which is removed when the process ends.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { TerminalError } from '../errors.ts';

/** As CSS and SVG name it. Fontconfig is told of the files by {@link loadReceiptFont}. */
export const RECEIPT_FONT_FAMILY = 'Noto Sans JP';
const FILES = [400, 700].flatMap((weight) =>
  ['japanese', 'latin'].map((subset) => `noto-sans-jp-${subset}-${weight}-normal.woff`),
);
const WOFF_SIGNATURE = 0x774f4646;

let loaded: Promise<void> | null = null;

/** Makes the font known to sharp, once a process. Throws DEVICE_FAILED when the font's package is missing or damaged. */
export function loadReceiptFont(): Promise<void> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'kaopass-font-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const { resolve } = createRequire(import.meta.url);
  for (const file of FILES) {
    const path = join(dir, file.replace(/woff$/, 'otf'));
    try {
      writeFileSync(path, unwrapWoff(await readFile(resolve(`@fontsource/noto-sans-jp/files/${file}`))));
    } catch (cause) {
      throw new TerminalError('DEVICE_FAILED', `receipt font ${file} can't be used: ${(cause as Error).message}`, {
        cause,
      });
    }
    // Drawing anything with a font file registers it with fontconfig for the rest of the process.
    await sharp({ text: { text: '1', font: RECEIPT_FONT_FAMILY, fontfile: path } })
      .raw()
      .toBuffer();
  }
}

/** WOFF 1.0 → the OpenType font in it. Throws RangeError for anything else. */
export function unwrapWoff(woff: Buffer): Buffer {
  if (woff.length < 44 || woff.readUInt32BE(0) !== WOFF_SIGNATURE) throw new RangeError('not a WOFF 1.0 file');
  const flavour = woff.readUInt32BE(4);
  const tables = Array.from({ length: woff.readUInt16BE(12) }, (_, index) => {
    const entry = 44 + index * 20;
    const [tag, offset, packedLength, length, checksum] = [0, 4, 8, 12, 16].map((at) => woff.readUInt32BE(entry + at));
    const packed = woff.subarray(offset!, offset! + packedLength!);
    const bytes = packedLength! < length! ? inflateSync(packed, { maxOutputLength: length! }) : packed;
    if (bytes.length !== length) throw new RangeError(`WOFF table ${index} has ${bytes.length} bytes, not ${length}`);
    return { tag: tag!, checksum: checksum!, bytes };
  });

  const headerBytes = 12 + tables.length * 16;
  const header = Buffer.alloc(headerBytes);
  const power = 2 ** Math.floor(Math.log2(tables.length));
  header.writeUInt32BE(flavour, 0);
  header.writeUInt16BE(tables.length, 4);
  header.writeUInt16BE(power * 16, 6);
  header.writeUInt16BE(Math.log2(power), 8);
  header.writeUInt16BE((tables.length - power) * 16, 10);
  const parts: Buffer[] = [header];
  let offset = headerBytes;
  tables.forEach(({ tag, checksum, bytes }, index) => {
    const entry = 12 + index * 16;
    header.writeUInt32BE(tag, entry);
    header.writeUInt32BE(checksum, entry + 4);
    header.writeUInt32BE(offset, entry + 8);
    header.writeUInt32BE(bytes.length, entry + 12);
    const padding = (4 - (bytes.length % 4)) % 4;
    parts.push(Buffer.from(bytes), Buffer.alloc(padding));
    offset += bytes.length + padding;
  });
  return Buffer.concat(parts);
}
