/**
 * The font of receipts, without any font installed: Noto Sans JP as packaged by Fontsource. Pango, which draws for sharp, takes no
 * WOFF, so its tables are unwrapped (WOFF File Format 1.0, W3C Recommendation, section 3 to 5) into an OpenType file in a
 * private folder.
 */
import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { TerminalError } from '../errors.ts';

/**
 * As SVG names it. Fontconfig is told of the files by {@link loadReceiptFont}, and reads the families in them: Fontsource's Japanese
 * files, of every weight, call themselves "Noto Sans JP Thin". Unnamed, they would lose to any Japanese font installed.
 */
export const RECEIPT_FONT_FAMILY = 'Noto Sans JP, Noto Sans JP Thin';
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
  const { resolve } = createRequire(import.meta.url);
  for (const file of FILES) {
    let path: string;
    try {
      const font = unwrapWoff(await readFile(resolve(`@fontsource/noto-sans-jp/files/${file}`)));
      path = await keep(join(await privateFolder(), file.replace(/woff$/, 'otf')), font);
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

/** Below the folder for temporary files, the same each time, so that a killed process leaves nothing that grows. It must be ours
 *  alone: in a shared folder anybody could have put another font, or a link, under its name. */
async function privateFolder(): Promise<string> {
  const user = process.getuid?.();
  const path = join(tmpdir(), `kaopass-font-${user ?? 'user'}`);
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const there = await lstat(path);
  const ours = there.isDirectory() && (user === undefined || (there.uid === user && (there.mode & 0o077) === 0));
  if (!ours) throw new Error(`${path} is not a folder of this user alone`);
  return path;
}

/** Writes the file unless it is there with the same content. */
async function keep(path: string, content: Buffer): Promise<string> {
  const there = await readFile(path).catch(() => null);
  if (there?.equals(content)) return path;
  const beside = `${path}.${process.pid}.new`;
  await writeFile(beside, content, { mode: 0o600 });
  await rename(beside, path);
  return path;
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
