/**
 * Which place a person has, for a million of them: ids as 16 bytes in one array, found through a hash table with open addressing.
 * A Map of strings would take some 120 bytes a person, this takes 24 to 32.
 */
import type { Uuid } from '../../src-contract/primitives.ts';

const WORDS = 4;
const ID_BYTES = 16;
const CAPACITY_MIN = 64;

export class IdIndex {
  /** Place by place, 16 bytes each. */
  #ids = new Uint32Array(CAPACITY_MIN * WORDS);
  /** Place + 1, or 0 where there is none. Twice as long as there is room for ids, or longer. */
  #table = new Int32Array(CAPACITY_MIN * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** −1 where there is none. */
  placeOf(id: Uuid): number {
    return this.#table[this.#find(wordsOf(id))]! - 1;
  }

  idAt(place: number): Uuid {
    return idOf(this.bytes(place, 1));
  }

  /** The ids of some places, 16 bytes each, as a view. */
  bytes(place: number, count: number): Uint8Array {
    return new Uint8Array(this.#ids.buffer, place * ID_BYTES, count * ID_BYTES);
  }

  /** Gives the next place to an id that has none. */
  append(id: Uuid): number {
    return this.#append(wordsOf(id));
  }

  /** The same for many, 16 bytes each. False, and no more appended, at one that has a place. */
  appendBytes(ids: Uint8Array): boolean {
    const words = new Uint32Array(new Uint8Array(ids).buffer);
    for (let at = 0; at < words.length; at += WORDS) {
      const one = words.subarray(at, at + WORDS);
      if (this.#table[this.#find(one)] !== 0) return false;
      this.#append(one);
    }
    return true;
  }

  /** Takes the id at a place away and gives the place to the last one. What was there is overwritten. */
  removeAt(place: number): void {
    const last = this.#size - 1;
    this.#release(this.#find(this.#words(place)));
    if (place !== last) {
      this.#table[this.#find(this.#words(last))] = place + 1;
      this.#words(place).set(this.#words(last));
    }
    this.#words(last).fill(0);
    this.#size = last;
  }

  /** Undoes removeAt: the id has its place again, and who had taken it the last one. */
  restoreAt(place: number, id: Uuid): void {
    if (place === this.#size) {
      this.append(id);
      return;
    }
    const moved = this.idAt(place);
    this.#release(this.#find(this.#words(place)));
    const words = wordsOf(id);
    this.#table[this.#find(words)] = place + 1;
    this.#words(place).set(words);
    this.append(moved);
  }

  #append(words: Uint32Array): number {
    const place = this.#size;
    if ((place + 1) * WORDS > this.#ids.length) this.#grow();
    this.#words(place).set(words);
    this.#table[this.#find(words)] = place + 1;
    this.#size = place + 1;
    return place;
  }

  #words(place: number): Uint32Array {
    return this.#ids.subarray(place * WORDS, (place + 1) * WORDS);
  }

  #home(words: Uint32Array): number {
    let hash = 0;
    for (let i = 0; i < WORDS; i++) hash = Math.imul(hash ^ words[i]!, 0x9e37_79b1) ^ (hash >>> 15);
    return (hash ^ (hash >>> 16)) & (this.#table.length - 1);
  }

  /** Where the id is in the table, or the free entry where it belongs. */
  #find(words: Uint32Array): number {
    const mask = this.#table.length - 1;
    for (let at = this.#home(words); ; at = (at + 1) & mask) {
      const place = this.#table[at]! - 1;
      if (place < 0) return at;
      const start = place * WORDS;
      const ids = this.#ids;
      if (
        ids[start] === words[0] &&
        ids[start + 1] === words[1] &&
        ids[start + 2] === words[2] &&
        ids[start + 3] === words[3]
      ) {
        return at;
      }
    }
  }

  /** Frees an entry and moves up those behind it that would not be found any more. */
  #release(entry: number): void {
    const mask = this.#table.length - 1;
    let free = entry;
    for (let at = (entry + 1) & mask; this.#table[at] !== 0; at = (at + 1) & mask) {
      const home = this.#home(this.#words(this.#table[at]! - 1));
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      this.#table[free] = this.#table[at]!;
      free = at;
    }
    this.#table[free] = 0;
  }

  #grow(): void {
    const old = this.#ids;
    this.#ids = new Uint32Array(old.length * 2);
    this.#ids.set(old);
    old.fill(0);
    this.#table = new Int32Array((this.#ids.length / WORDS) * 2);
    for (let place = 0; place < this.#size; place++) this.#table[this.#find(this.#words(place))] = place + 1;
  }
}

function wordsOf(id: Uuid): Uint32Array {
  const words = new Uint32Array(WORDS);
  Buffer.from(words.buffer).write(id.replaceAll('-', ''), 'hex');
  return words;
}

/** An id from its 16 bytes. */
export function idOf(bytes: Uint8Array): Uuid {
  const hex = Buffer.from(bytes).toString('hex');
  const part = (start: number, end?: number) => hex.slice(start, end);
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20)}`;
}
