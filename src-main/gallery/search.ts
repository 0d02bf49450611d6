/**
 * Exact 1:N search in memory. Templates are held twice: as float32, and quantised to int8, which is a quarter of the bytes.
 * The int8 pass (usearch's exact kernels) names candidates, the float32 templates give their true scores, and the largest
 * quantisation error seen bounds what any vector that is not a candidate can score. Unless that bound proves the answer,
 * more candidates are taken, and in the end all: the answer is always the one of a plain float scan.
 */
import { exactSearch, MetricKind } from 'usearch';

export interface Neighbour<Key> {
  readonly key: Key;
  /** Cosine similarity, −1…1. */
  readonly score: number;
}

/** A unit vector's component times this is its int8 value. After protection a component of 512 has a standard deviation of
 *  0.044, so 127/0.35 clips hardly any; clipping costs speed, never exactness. */
const QUANTISATION_SCALE = 127 / 0.35;
const CAPACITY_MIN = 64;
/** Candidates asked for, in turn, while the bound does not prove the answer. */
const CANDIDATES = [32, 512];

export class ExactSearch<Key> {
  readonly #dimensions: number;
  #floats: Float32Array;
  #bytes: Int8Array;
  #keys: Key[] = [];
  readonly #index = new Map<Key, number>();
  /** Largest ‖v − v̂‖ of any vector ever held, v̂ its int8 form scaled back. Only grows, which is safe. */
  #errorMax = 0;

  constructor(dimensions: number, capacity = CAPACITY_MIN) {
    this.#dimensions = dimensions;
    this.#floats = new Float32Array(capacity * dimensions);
    this.#bytes = new Int8Array(capacity * dimensions);
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Bytes of the vectors held, without spare room. */
  get bytes(): number {
    return this.size * this.#dimensions * 5;
  }

  /** The vector of a key, as a view that the next change may overwrite. */
  get(key: Key): Float32Array | null {
    const index = this.#index.get(key);
    return index === undefined ? null : this.#vector(index);
  }

  /** @param vector of unit length. */
  set(key: Key, vector: Float32Array): void {
    let index = this.#index.get(key);
    if (index === undefined) {
      index = this.size;
      this.#reserve(index + 1);
      this.#index.set(key, index);
      this.#keys.push(key);
    }
    const start = index * this.#dimensions;
    this.#floats.set(vector, start);
    const { error } = quantise(vector, this.#bytes.subarray(start, start + this.#dimensions));
    this.#errorMax = Math.max(this.#errorMax, error);
  }

  /** Forgets a key; its place is taken by the last one, and what was there is overwritten. */
  delete(key: Key): boolean {
    const index = this.#index.get(key);
    if (index === undefined) return false;
    const last = this.size - 1;
    const lastKey = this.#keys[last]!;
    const lastStart = last * this.#dimensions;
    const lastEnd = lastStart + this.#dimensions;
    this.#floats.copyWithin(index * this.#dimensions, lastStart, lastEnd);
    this.#bytes.copyWithin(index * this.#dimensions, lastStart, lastEnd);
    this.#floats.fill(0, lastStart, lastEnd);
    this.#bytes.fill(0, lastStart, lastEnd);
    this.#keys[index] = lastKey;
    this.#index.set(lastKey, index);
    this.#keys.pop();
    this.#index.delete(key);
    return true;
  }

  /** The `count` most similar vectors, best first; fewer where fewer are held. @param probe of unit length. */
  nearest(probe: Float32Array, count: number): readonly Neighbour<Key>[] {
    const wanted = Math.min(count, this.size);
    if (wanted === 0) return [];
    const values = new Int8Array(this.#dimensions);
    const { error, length } = quantise(probe, values);
    // |q·v − q̂·v̂| ≤ ‖q − q̂‖·‖v‖ + ‖q̂‖·‖v − v̂‖, with ‖v‖ = 1 but for float32 rounding, which 1e-5 more than covers.
    const slack = error + length * this.#errorMax + 1e-5;
    for (const candidates of CANDIDATES) {
      if (candidates >= this.size) break;
      const { best, lowest } = this.#candidates(probe, values, candidates, wanted);
      if (best[wanted - 1]!.score >= lowest + slack) return best;
    }
    return this.#scan(probe, wanted);
  }

  /** The best by int8, with their true scores, and the lowest int8 score among them. */
  #candidates(probe: Float32Array, quantised: Int8Array, candidates: number, wanted: number) {
    const { keys, distances } = exactSearch(
      this.#bytes.subarray(0, this.size * this.#dimensions),
      quantised,
      this.#dimensions,
      candidates,
      MetricKind.IP,
      1,
    );
    const best = [...keys]
      .map((index) => this.#scored(probe, Number(index)))
      .sort((a, b) => b.score - a.score)
      .slice(0, wanted);
    // usearch's inner-product distance is 1 − q̂·v̂, over the integers.
    const lowest = (1 - distances[candidates - 1]!) / QUANTISATION_SCALE ** 2;
    return { best, lowest };
  }

  #scan(probe: Float32Array, wanted: number): Neighbour<Key>[] {
    const best: Neighbour<Key>[] = [];
    for (let index = 0; index < this.size; index++) {
      const found = this.#scored(probe, index);
      if (best.length === wanted && found.score <= best[wanted - 1]!.score) continue;
      const at = best.findIndex((other) => other.score < found.score);
      best.splice(at === -1 ? best.length : at, 0, found);
      best.length = Math.min(best.length, wanted);
    }
    return best;
  }

  #scored(probe: Float32Array, index: number): Neighbour<Key> {
    return { key: this.#keys[index]!, score: dot(probe, this.#vector(index)) };
  }

  #vector(index: number): Float32Array {
    return this.#floats.subarray(index * this.#dimensions, (index + 1) * this.#dimensions);
  }

  #reserve(count: number): void {
    if (count * this.#dimensions <= this.#floats.length) return;
    const capacity = Math.max(CAPACITY_MIN, 2 ** Math.ceil(Math.log2(count))) * this.#dimensions;
    const [floats, bytes] = [new Float32Array(capacity), new Int8Array(capacity)];
    floats.set(this.#floats);
    bytes.set(this.#bytes);
    this.#floats.fill(0);
    this.#bytes.fill(0);
    [this.#floats, this.#bytes] = [floats, bytes];
  }
}

/** Writes the int8 form; answers the length of what it lost, and its own length once scaled back. */
function quantise(vector: Float32Array, into: Int8Array): { error: number; length: number } {
  let errorSquares = 0;
  let squares = 0;
  for (let i = 0; i < vector.length; i++) {
    const component = vector[i]!;
    const value = Math.max(-127, Math.min(127, Math.round(component * QUANTISATION_SCALE)));
    into[i] = value;
    const back = value / QUANTISATION_SCALE;
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
