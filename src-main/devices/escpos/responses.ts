/**
 * Bytes from a printer → what they say. One wire carries everything a printer answers, told apart by fixed bits (Epson ESC/POS Command
 * Reference, "Differentiating transmitted data"):
 *
 *   0xx1xx10  DLE EOT            0xx1xx00  first byte of Automatic Status Back, three of 0xx0xxxx follow
 *   0xx0xxxx  GS r, GS I 1 to 3  37h, 5Fh  header of a block that ends with NUL   11h, 13h  XON, XOFF
 *
 * What fits none of these is counted as garbage and believed in nothing: a wrong baud rate looks like this.
 */

export type Response =
  | { readonly kind: 'realTime'; readonly byte: number }
  | { readonly kind: 'asb'; readonly block: readonly [number, number, number, number] }
  /** The answer to GS r or GS I 1 to 3. */
  | { readonly kind: 'single'; readonly byte: number }
  /** GS ( H: everything before it is printed. Four characters of ours. */
  | { readonly kind: 'processId'; readonly id: string }
  /** DLE DC4 8: what was not printed is forgotten. */
  | { readonly kind: 'cleared' }
  /** GS I 65 to 69. */
  | { readonly kind: 'info'; readonly text: string }
  | { readonly kind: 'garbage'; readonly bytes: Uint8Array };

/** Identifiers of blocks with header 37h. */
const PROCESS_ID = 0x22;
const CLEARED = 0x25;
const BLOCK_HEADER = 0x37;
const INFO_HEADER = 0x5f;
/** The longest block of the reference has 80 data bytes. */
const BLOCK_BYTES_MAX = 84;

export class ResponseReader {
  readonly #tell: (response: Response) => void;
  /** An unfinished ASB block or a block up to its NUL. */
  #pending: number[] = [];

  constructor(tell: (response: Response) => void) {
    this.#tell = tell;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.#byte(byte);
  }

  #byte(byte: number): void {
    // Flow control may stand anywhere, even within a block.
    if (byte === 0x11 || byte === 0x13) return;
    const [header] = this.#pending;
    if (header === undefined) this.#start(byte);
    else if (header === BLOCK_HEADER || header === INFO_HEADER) this.#block(byte);
    else this.#asb(byte);
  }

  #start(byte: number): void {
    if (byte === BLOCK_HEADER || byte === INFO_HEADER || (byte & 0x93) === 0x10) this.#pending = [byte];
    else if ((byte & 0x93) === 0x12) this.#tell({ kind: 'realTime', byte });
    else if ((byte & 0x90) === 0) this.#tell({ kind: 'single', byte });
    else this.#tell({ kind: 'garbage', bytes: Uint8Array.of(byte) });
  }

  #asb(byte: number): void {
    if ((byte & 0x90) !== 0) {
      this.#giveUp();
      this.#byte(byte);
      return;
    }
    this.#pending.push(byte);
    const [first, second, third, fourth] = this.#pending;
    if (fourth === undefined) return;
    this.#pending = [];
    this.#tell({ kind: 'asb', block: [first!, second!, third!, fourth] });
  }

  #block(byte: number): void {
    this.#pending.push(byte);
    if (byte !== 0) {
      // Data of blocks is printable, and so is every identifier.
      if (byte >= 0x80 || this.#pending.length > BLOCK_BYTES_MAX) this.#giveUp();
      return;
    }
    const [header, identifier, ...rest] = this.#pending;
    const text = String.fromCharCode(...rest.slice(0, -1));
    if (header === INFO_HEADER) {
      const info = String.fromCharCode(...this.#pending.slice(1, -1));
      this.#pending = [];
      this.#tell({ kind: 'info', text: info });
    } else if (identifier === PROCESS_ID && text.length === 4) {
      this.#pending = [];
      this.#tell({ kind: 'processId', id: text });
    } else if (identifier === CLEARED && text === '' && rest.length === 1) {
      this.#pending = [];
      this.#tell({ kind: 'cleared' });
    } else this.#giveUp();
  }

  #giveUp(): void {
    const bytes = Uint8Array.from(this.#pending);
    this.#pending = [];
    this.#tell({ kind: 'garbage', bytes });
  }
}
