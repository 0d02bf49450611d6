/**
 * Exact 1:N search in memory, for a million people. Of each template only the int8 form is held, a byte a dimension; the float32
 * one stays sealed on disk, and is asked for where int8 cannot decide. The int8 pass (usearch's exact kernels) names candidates.
 * What a vector lost when it was quantised is held with it, and bounds its true score from above, for candidates as for all
 * the others. Unless the bounds prove the answer, more candidates are taken, and in the end all: the answer is always the one of a
 * plain float scan.
 */
import { exactSearch, MetricKind } from 'usearch';
import type { Uuid } from '../../src-contract/primitives.ts';
import { IdIndex, idOf } from './id-index.ts';

export interface Neighbour {
  readonly key: Uuid;
  /** Cosine similarity, −1…1. */
  readonly score: number;
}

/** Some neighbouring places of a search in one piece, as they rest on disk: see pack(). */
export const PACK_PLACES = 64;
const ID_BYTES = 16;
const ERROR_BYTES = 4;

/** Vectors lie in blocks of this many, so that a growing gallery is not copied; the first one grows up to it. A multiple of PACK_PLACES. */
const BLOCK = 2 ** 17;
const CAPACITY_MIN = 64;
/** A component of a protected template of d dimensions has a standard deviation of 1/√d, and int8 spans this many of them: one
 *  vector in forty has a component beyond. Clipping costs speed, never exactness. */
const SPAN = 4.2;
/** Candidates asked for in each block, in turn, while the bounds do not prove the answer; then all. */
const CANDIDATES = [96, 1024] as const;
/** What is taken for a unit vector may be this long: see UNIT_LENGTH_TOLERANCE in gallery.ts. */
const LENGTH_MAX = 1.001;
/** More than float32 takes from a stored error and from an int8 score. */
const ROUNDING = 1e-5;
/** From here on a second thread is worth its start. usearch joins its threads before it returns. */
const TWO_THREADS_FROM = 50_000;

export class ExactSearch {
  readonly #dimensions: number;
  readonly #scale: number;
  readonly #ids = new IdIndex();
  readonly #lookAlikes = new Map<Uuid, Uuid>();
  readonly #blocks: Int8Array[] = [];
  /** ‖v − v̂‖ of each vector, v̂ its int8 form scaled back. */
  #errors = new Float32Array(CAPACITY_MIN);
  /** The largest ever held. Only grows, which is safe. */
  #errorMax = 0;
  #touched = new Set<number>();

  /**
   * @param dimensions 0 for people who are held and not compared.
   * @param expected how many will come, where that is known: the first block is made for them at once and never copied. The system
   *   gives memory to what is written, so that it costs nothing before they come.
   */
  constructor(dimensions: number, expected = 0) {
    this.#dimensions = dimensions;
    this.#scale = (127 * Math.sqrt(dimensions)) / SPAN;
    if (expected > 0) this.#blocks.push(new Int8Array(Math.min(BLOCK, powerOfTwo(expected)) * dimensions));
  }

  get size(): number {
    return this.#ids.size;
  }

  has(key: Uuid): boolean {
    return this.#ids.placeOf(key) !== -1;
  }

  lookAlikeOf(key: Uuid): Uuid | null {
    return this.#lookAlikes.get(key) ?? null;
  }

  /** Everybody in it who was said to look like somebody. */
  lookAlikes(): Iterable<readonly [Uuid, Uuid]> {
    return this.#lookAlikes;
  }

  /** Holds a key that is not held yet. @param vector of unit length. Returns how to undo it. */
  add(key: Uuid, vector: Float32Array, lookAlikeOf: Uuid | null = null): () => void {
    const place = this.#ids.append(key);
    this.#reserve(place);
    this.#errors[place] = quantise(vector, this.#scale, this.#values(place)).error;
    this.#errorMax = Math.max(this.#errorMax, this.#errors[place]!);
    if (lookAlikeOf) this.#lookAlikes.set(key, lookAlikeOf);
    this.#touch(place);
    return () => {
      this.#removeAt(place, key);
    };
  }

  /** Forgets a key; its place is taken by the last one, and what was there is overwritten. Returns how to undo it; null when
   *  it was not held. */
  delete(key: Uuid): (() => void) | null {
    const place = this.#ids.placeOf(key);
    if (place === -1) return null;
    const values = this.#values(place).slice();
    const error = this.#errors[place]!;
    const lookAlikeOf = this.#lookAlikes.get(key);
    this.#removeAt(place, key);
    return () => {
      const last = this.size;
      this.#reserve(last);
      if (place !== last) this.#copy(place, last);
      this.#ids.restoreAt(place, key);
      this.#values(place).set(values);
      this.#errors[place] = error;
      if (lookAlikeOf) this.#lookAlikes.set(key, lookAlikeOf);
      this.#touch(place);
      this.#touch(last);
    };
  }

  /**
   * The `count` most similar vectors, best first; fewer where fewer are held.
   * @param probe of unit length.
   * @param exact the float32 vector of a key; null when it cannot be had, and then the key is in no answer.
   */
  nearest(probe: Float32Array, count: number, exact: (key: Uuid) => Float32Array | null): readonly Neighbour[] {
    if (count === 0 || this.size === 0) return [];
    const quantised = new Int8Array(this.#dimensions);
    const scale = 127 / probe.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    const { error, length } = quantise(probe, scale, quantised);
    // |q·v − q̂·v̂| ≤ ‖q − q̂‖·‖v‖ + ‖q̂‖·‖v − v̂‖.
    const slack = error * LENGTH_MAX + length * this.#errorMax + ROUNDING;
    const known = new Map<number, number | null>();
    const score = (place: number): number | null => {
      const before = known.get(place);
      if (before !== undefined) return before;
      const vector = exact(this.#ids.idAt(place));
      const found = vector && dot(probe, vector);
      known.set(place, found);
      return found;
    };
    for (const wanted of [...CANDIDATES, this.size]) {
      const { places, unseen } = this.#candidates(quantised, scale, wanted);
      const best = this.#best(probe, places, count, score);
      const worst = best.length < count ? Number.NEGATIVE_INFINITY : best[count - 1]!.score;
      if (worst >= unseen + slack)
        return best.map((found) => ({ key: this.#ids.idAt(found.place), score: found.score }));
    }
    throw new Error('a search among all found no answer');
  }

  /** Who has the last places, the very last first: taken away in this order, they leave all other packs as they are. */
  last(count: number): readonly Uuid[] {
    const { size } = this;
    return Array.from({ length: Math.min(count, size) }, (_, i) => this.#ids.idAt(size - 1 - i));
  }

  /** Packs that hold somebody. */
  get packs(): number {
    return Math.ceil(this.size / PACK_PLACES);
  }

  /** One pack: ids, look-alikes (zeros for none), errors, int8 vectors, each for all of its places. Empty beyond the last. */
  pack(number: number): Uint8Array {
    const start = number * PACK_PLACES;
    const count = Math.max(0, Math.min(PACK_PLACES, this.size - start));
    const bytes = Buffer.alloc(count * this.#placeBytes);
    if (count === 0) return bytes;
    bytes.set(this.#ids.bytes(start, count));
    for (let i = 0; i < count && this.#lookAlikes.size > 0; i++) {
      const lookAlikeOf = this.#lookAlikes.get(this.#ids.idAt(start + i));
      if (lookAlikeOf) bytes.write(lookAlikeOf.replaceAll('-', ''), (count + i) * ID_BYTES, 'hex');
    }
    bytes.set(new Uint8Array(this.#errors.buffer, start * ERROR_BYTES, count * ERROR_BYTES), count * 2 * ID_BYTES);
    const { block, at } = this.#where(start);
    bytes.set(new Uint8Array(block.buffer, at, count * this.#dimensions), count * (2 * ID_BYTES + ERROR_BYTES));
    return bytes;
  }

  /** Takes in what pack() made of the next places. False when it does not fit: nothing of it can be trusted then. */
  load(bytes: Uint8Array): boolean {
    const count = bytes.length / this.#placeBytes;
    const start = this.size;
    if (!Number.isInteger(count) || count === 0 || count > PACK_PLACES || start % PACK_PLACES !== 0) return false;
    if (!this.#ids.appendBytes(bytes.subarray(0, count * ID_BYTES))) return false;
    this.#reserve(start + count - 1);
    const errorsAt = count * 2 * ID_BYTES;
    const valuesAt = errorsAt + count * ERROR_BYTES;
    const named = bytes.subarray(count * ID_BYTES, errorsAt);
    // Seldom anybody.
    for (let at = named.findIndex((byte) => byte !== 0); at !== -1 && at < named.length; at += ID_BYTES) {
      at -= at % ID_BYTES;
      const lookAlikeOf = named.subarray(at, at + ID_BYTES);
      if (lookAlikeOf.some((byte) => byte !== 0))
        this.#lookAlikes.set(this.#ids.idAt(start + at / ID_BYTES), idOf(lookAlikeOf));
    }
    new Uint8Array(this.#errors.buffer).set(bytes.subarray(errorsAt, valuesAt), start * ERROR_BYTES);
    for (let i = start; i < start + count; i++) this.#errorMax = Math.max(this.#errorMax, this.#errors[i]!);
    const { block, at } = this.#where(start);
    new Uint8Array(block.buffer).set(bytes.subarray(valuesAt), at);
    return true;
  }

  /** Numbers of the packs that changed since this was asked last. */
  takeTouched(): readonly number[] {
    const touched = [...this.#touched];
    this.#touched = new Set();
    return touched;
  }

  /** By int8: the best of each block, and the highest score that anybody else can have by int8. */
  #candidates(quantised: Int8Array, scale: number, wanted: number) {
    const places: number[] = [];
    let unseen = Number.NEGATIVE_INFINITY;
    const threads = this.size >= TWO_THREADS_FROM ? 2 : 1;
    for (let start = 0; start < this.size; start += BLOCK) {
      const held = Math.min(BLOCK, this.size - start);
      const asked = Math.min(wanted, held);
      const { keys, distances } = exactSearch(
        this.#where(start).block.subarray(0, held * this.#dimensions),
        quantised,
        this.#dimensions,
        asked,
        MetricKind.IP,
        threads,
      );
      for (const key of keys) places.push(start + Number(key));
      // usearch's inner-product distance is 1 − q̂·v̂, over the integers.
      if (asked < held) unseen = Math.max(unseen, (1 - distances[asked - 1]!) / (scale * this.#scale));
    }
    return { places, unseen };
  }

  /** The best of these places by their true scores. Only those are asked for whose bound says that they may be among them. */
  #best(probe: Float32Array, places: readonly number[], count: number, score: (place: number) => number | null) {
    const bounded = places.map((place) => {
      const most = this.#approximate(probe, place) + LENGTH_MAX * this.#errors[place]! + ROUNDING;
      return { place, most };
    });
    bounded.sort((a, b) => b.most - a.most);
    const best: { place: number; score: number }[] = [];
    for (const { place, most } of bounded) {
      if (best.length === count && most <= best[count - 1]!.score) break;
      const found = score(place);
      if (found === null) continue;
      const at = best.findIndex((other) => other.score < found);
      best.splice(at === -1 ? best.length : at, 0, { place, score: found });
      best.length = Math.min(best.length, count);
    }
    return best;
  }

  /** q·v̂: of the probe as it is with the vector as int8 has it. */
  #approximate(probe: Float32Array, place: number): number {
    const { block, at } = this.#where(place);
    let sum = 0;
    for (let i = 0; i < probe.length; i++) sum += probe[i]! * block[at + i]!;
    return sum / this.#scale;
  }

  #removeAt(place: number, key: Uuid): void {
    const last = this.size - 1;
    if (place !== last) this.#copy(last, place);
    this.#values(last).fill(0);
    this.#errors[last] = 0;
    this.#ids.removeAt(place);
    this.#lookAlikes.delete(key);
    this.#touch(place);
    this.#touch(last);
    // A block that nobody is left in goes: during a change of the matrix another search grows meanwhile.
    if (last > 0 && last % BLOCK === 0) this.#blocks.length = last / BLOCK;
  }

  #copy(from: number, to: number): void {
    this.#values(to).set(this.#values(from));
    this.#errors[to] = this.#errors[from]!;
  }

  #touch(place: number): void {
    this.#touched.add(Math.floor(place / PACK_PLACES));
  }

  get #placeBytes(): number {
    return 2 * ID_BYTES + ERROR_BYTES + this.#dimensions;
  }

  #where(place: number): { block: Int8Array; at: number } {
    return { block: this.#blocks[Math.floor(place / BLOCK)]!, at: (place % BLOCK) * this.#dimensions };
  }

  #values(place: number): Int8Array {
    const { block, at } = this.#where(place);
    return block.subarray(at, at + this.#dimensions);
  }

  /** Room up to and with this place, which is at most one beyond those held. */
  #reserve(place: number): void {
    if (place >= this.#errors.length) {
      const errors = new Float32Array(powerOfTwo(place + 1));
      errors.set(this.#errors);
      this.#errors = errors;
    }
    const number = Math.floor(place / BLOCK);
    const block = this.#blocks[number];
    const needed = (place % BLOCK) + 1;
    if (block && needed * this.#dimensions <= block.length) return;
    const capacity = number === 0 ? Math.max(CAPACITY_MIN, powerOfTwo(needed)) : BLOCK;
    const grown = new Int8Array(capacity * this.#dimensions);
    if (block) {
      grown.set(block);
      block.fill(0);
    }
    this.#blocks[number] = grown;
  }
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

/** Writes the int8 form; answers the length of what it lost, and its own length once scaled back. */
function quantise(vector: Float32Array, scale: number, into: Int8Array): { error: number; length: number } {
  let errorSquares = 0;
  let squares = 0;
  for (let i = 0; i < into.length; i++) {
    const component = vector[i]!;
    const value = Math.max(-127, Math.min(127, Math.round(component * scale)));
    into[i] = value;
    const back = value / scale;
    errorSquares += (component - back) * (component - back);
    squares += back * back;
  }
  return { error: Math.sqrt(errorSquares), length: Math.sqrt(squares) };
}

/** Inner product in float64, kept within what a cosine can be. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.max(-1, Math.min(1, sum));
}
