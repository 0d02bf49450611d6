/**
 * Finds real-time commands in a stream, wherever they stand: in the middle of another command, in the dots of a picture, over the seam of two
 * packets (ESC/POS reference, DLE EOT, DLE ENQ, DLE DC4: notes). That is no mistake of this printer but how printers are.
 */

const NAMES = { 4: 'DLE EOT', 5: 'DLE ENQ', 20: 'DLE DC4' } as const;
type Name = (typeof NAMES)[keyof typeof NAMES];

export class RealTimeScanner {
  readonly #found: (name: Name, params: readonly number[]) => void;
  #seen: number[] = [];

  constructor(found: (name: Name, params: readonly number[]) => void) {
    this.#found = found;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.#byte(byte);
  }

  #byte(byte: number): void {
    const [, second] = this.#seen;
    if (this.#seen.length === 0) {
      if (byte === 0x10) this.#seen = [byte];
      return;
    }
    if (second === undefined) {
      this.#seen = byte in NAMES ? [0x10, byte] : byte === 0x10 ? [0x10] : [];
      return;
    }
    this.#seen.push(byte);
    const params = this.#seen.slice(2);
    if (params.length < paramsOf(second, params[0]!)) return;
    this.#seen = [];
    this.#found(NAMES[second as keyof typeof NAMES], params);
  }
}

function paramsOf(second: number, first: number): number {
  if (second !== 0x14) return 1;
  return first === 8 ? 8 : first === 1 || first === 2 ? 3 : 1;
}
