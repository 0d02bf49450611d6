/**
 * The folder of everything that was printed: the bytes as they came, `<name>.escpos`, and once it left the printer a picture of the
 * paper, `<name>.png`. Names are numbers that only rise.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { receiptPicture } from './receipt-picture.ts';

/** Receipts kept; the oldest go when there are more. */
const KEPT_MAX = 200;
const NAME = /^\d{6}$/;

export class Receipts {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  nameOf(number: number): string {
    return String(number).padStart(6, '0');
  }

  /** Prints on: bytes behind what is on this paper already. */
  async append(name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await appendFile(this.#path(name, 'escpos'), bytes);
  }

  /** Makes the picture of a receipt that is complete, and lets go of the oldest. */
  async finish(name: string): Promise<void> {
    const picture = this.#path(name, 'png');
    await writeFile(`${picture}.new`, await receiptPicture(await readFile(this.#path(name, 'escpos'))));
    await rename(`${picture}.new`, picture);
    for (const old of (await this.names()).slice(KEPT_MAX)) {
      for (const ending of ['escpos', 'png'] as const) await rm(this.#path(old, ending), { force: true });
    }
  }

  /** Newest first; complete ones only. */
  async names(): Promise<string[]> {
    const files = await readdir(this.#folder).catch(() => []);
    return files
      .flatMap((file) => (file.endsWith('.png') && NAME.test(file.slice(0, -4)) ? [file.slice(0, -4)] : []))
      .sort()
      .reverse();
  }

  /** Null when there is none of that name. */
  async read(name: string, ending: 'escpos' | 'png'): Promise<Buffer | null> {
    if (!NAME.test(name)) return null;
    return await readFile(this.#path(name, ending)).catch(() => null);
  }

  #path(name: string, ending: 'escpos' | 'png'): string {
    return join(this.#folder, `${name}.${ending}`);
  }
}
