/**
 * ESC/POS bytes → commands, as they come, in pieces of any size (Epson ESC/POS Command Reference, "Command list"). It knows how long each
 * command is and nothing of what it does. What it doesn't know it names and steps over: a printer of another make
 * must not turn the rest of a receipt into noise.
 */

export interface Command {
  /** "text", a control character ("LF"), or the command as the reference writes it: "ESC a", "GS ( k", "DLE EOT". */
  readonly name: string;
  /** What follows the name; for "text" its bytes, none of them below 20h. */
  readonly params: Uint8Array;
  /** False: not in the list; its length is a guess. */
  readonly known: boolean;
  /** Offset of its first byte in everything ever pushed. */
  readonly at: number;
}

/** Longer than any picture on a receipt; what says it is longer is taken for unknown. */
const PARAMS_MAX = 1 << 20;
/** Text is handed on in runs of at most this many bytes. */
const TEXT_MAX = 4_096;

const CONTROLS: Readonly<Record<number, string>> = { 9: 'HT', 10: 'LF', 12: 'FF', 13: 'CR', 24: 'CAN' };
const PREFIXES: Readonly<Record<number, string>> = { 16: 'DLE', 27: 'ESC', 28: 'FS', 29: 'GS' };

/** How many bytes follow; null when that can't be told before more have come. */
type Length = number | ((rest: Uint8Array) => number | null);

const word = (rest: Uint8Array, at: number) => (rest.length < at + 2 ? null : rest[at]! + rest[at + 1]! * 256);
/** pL pH at such an offset, and so many bytes after them. */
const counted =
  (at: number): Length =>
  (rest) => {
    const count = word(rest, at);
    return count === null ? null : at + 2 + count;
  };
const upToNul =
  (from: number, most: number): Length =>
  (rest) => {
    const end = rest.indexOf(0, from);
    if (end >= 0) return Math.min(end + 1, most);
    return rest.length < most ? null : most;
  };
const choose =
  (choice: (first: number) => Length): Length =>
  (rest) => {
    const first = rest[0];
    if (first === undefined) return null;
    const length = choice(first);
    return typeof length === 'number' ? length : length(rest);
  };

/** ESC * m nL nH: 24-dot modes have three bytes a column. */
const bitImage: Length = (rest) => {
  const columns = word(rest, 1);
  return columns === null ? null : 3 + columns * (rest[0] === 32 || rest[0] === 33 ? 3 : 1);
};
/** GS v 0 m xL xH yL yH; 'rest' begins at "0". */
const rasterImage: Length = (rest) => {
  const [width, height] = [word(rest, 2), word(rest, 4)];
  return width === null || height === null ? null : 6 + width * height;
};
/** GS * x y: eight times eight dots for each. */
const downloadedImage: Length = (rest) => (rest.length < 2 ? null : 2 + rest[0]! * rest[1]! * 8);
/** ESC & y c1 c2, then for each character its width and y bytes a column. */
const userCharacters: Length = (rest) => {
  if (rest.length < 3) return null;
  let at = 3;
  for (let code = rest[1]!; code <= rest[2]!; code += 1) {
    const width = rest[at];
    if (width === undefined) return null;
    at += 1 + rest[0]! * width;
  }
  return at;
};
/** GS 8 L p1 to p4: as GS ( L with a length of four bytes. */
const largeGraphics: Length = (rest) => {
  const [low, high] = [word(rest, 1), word(rest, 3)];
  return low === null || high === null ? null : 5 + low + high * 65_536;
};

const LENGTHS: ReadonlyMap<string, Length> = new Map<string, Length>([
  ...lengths('DLE', 1, ['\x05']),
  ['DLE \x04', choose((n) => (n === 7 || n === 8 || n === 18 ? 2 : 1))],
  ['DLE \x14', choose((fn) => (fn === 8 ? 8 : fn === 3 ? 6 : fn === 7 ? 2 : 3))],
  ...lengths('ESC', 0, ['@', '2', '<', 'i', 'm', 'L', 'S', '\x0c', 'v', 'u']),
  ...lengths('ESC', 1, [...' !-34=?EGJKMQRTUVadertq{%']),
  ...lengths('ESC', 2, [...'$\\cB']),
  ...lengths('ESC', 3, ['p']),
  ...lengths('ESC', 8, ['W']),
  ['ESC (', counted(1)],
  ['ESC *', bitImage],
  ['ESC &', userCharacters],
  ['ESC D', upToNul(0, 33)],
  ...lengths('FS', 0, ['&', '.']),
  ...lengths('FS', 1, [...'!-CW']),
  ...lengths('FS', 2, [...'Sp?']),
  ['FS 2', 2 + 72],
  ['FS (', counted(1)],
  ...lengths('GS', 0, [':', 'c']),
  ...lengths('GS', 1, [...'!/BEHITabfhjrw']),
  ...lengths('GS', 2, [...'$LPW\\']),
  ...lengths('GS', 3, ['^', 'z']),
  ['GS V', choose((m) => (m >= 65 ? 2 : 1))],
  ['GS k', choose((m) => (m >= 65 ? (rest) => (rest.length < 2 ? null : 2 + rest[1]!) : upToNul(1, 256)))],
  ['GS v', rasterImage],
  ['GS Q', rasterImage],
  ['GS *', downloadedImage],
  ['GS (', counted(1)],
  ['GS 8', largeGraphics],
  ['GS g', 4],
]);

function lengths(prefix: string, length: number, letters: readonly string[]): [string, number][] {
  return letters.map((letter) => [`${prefix} ${letter}`, length]);
}

/** Names as the reference writes them, where the letter is none. */
const SPELT: Readonly<Record<string, string>> = {
  'DLE \x04': 'DLE EOT',
  'DLE \x05': 'DLE ENQ',
  'DLE \x14': 'DLE DC4',
  'ESC \x0c': 'ESC FF',
  'ESC  ': 'ESC SP',
};

export class CommandParser {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** What was pushed before the first of `#bytes`. */
  #before = 0;

  push(bytes: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#at);
    const joined = new Uint8Array(rest.length + bytes.length);
    joined.set(rest);
    joined.set(bytes, rest.length);
    this.#before += this.#at;
    this.#bytes = joined;
    this.#at = 0;
  }

  /** Bytes that no command was made of yet. */
  get buffered(): number {
    return this.#bytes.length - this.#at;
  }

  /** Offset of the first of them. */
  get offset(): number {
    return this.#before + this.#at;
  }

  /** Forgets them. */
  clear(): void {
    this.#at = this.#bytes.length;
  }

  /** Null when the next command is not complete. */
  next(): Command | null {
    const rest = this.#bytes.subarray(this.#at);
    const [first, second] = rest;
    if (first === undefined) return null;
    if (first >= 0x20) {
      const end = rest.subarray(0, TEXT_MAX).findIndex((byte) => byte < 0x20);
      return this.#take('text', 0, end < 0 ? Math.min(rest.length, TEXT_MAX) : end, true);
    }
    const prefix = PREFIXES[first];
    if (!prefix) return this.#take(CONTROLS[first] ?? hex(first), 1, 0, first in CONTROLS);
    if (second === undefined) return null;
    const key = `${prefix} ${String.fromCharCode(second)}`;
    const length = LENGTHS.get(key);
    if (length === undefined) return this.#take(`${prefix} ${hex(second)}`, 2, 0, false);
    const params = typeof length === 'number' ? length : length(rest.subarray(2));
    if (params === null) return null;
    if (params > PARAMS_MAX) return this.#take(`${prefix} ${hex(second)}`, 2, 0, false);
    if (rest.length < 2 + params) return null;
    // A letter after ( or 8 belongs to the name.
    const family = key.endsWith('(') || key === 'GS 8' ? ` ${String.fromCharCode(rest[2]!)}` : '';
    return this.#take((SPELT[key] ?? key) + family, family ? 3 : 2, family ? params - 1 : params, true);
  }

  #take(name: string, header: number, params: number, known: boolean): Command {
    const start = this.#at + header;
    const command = { name, params: this.#bytes.slice(start, start + params), known, at: this.offset };
    this.#at = start + params;
    return command;
  }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
