/** The highest of very many scores, with the two people of each, in memory of a fixed size. */
export class Tail {
  readonly #capacity: number;
  #scores: Float32Array;
  #ones: Uint32Array;
  #others: Uint32Array;
  #length = 0;
  /** Nothing below this can be among the highest any more. */
  #floor = Number.NEGATIVE_INFINITY;

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity);
    this.#scores = new Float32Array(2 * this.#capacity);
    this.#ones = new Uint32Array(2 * this.#capacity);
    this.#others = new Uint32Array(2 * this.#capacity);
  }

  add(score: number, one: number, other: number): void {
    if (score < this.#floor) return;
    if (this.#length === this.#scores.length) this.#shrink();
    this.#scores[this.#length] = score;
    this.#ones[this.#length] = one;
    this.#others[this.#length] = other;
    this.#length++;
  }

  /** Highest first. */
  sorted(): { readonly scores: Float32Array; readonly ones: Uint32Array; readonly others: Uint32Array } {
    this.#shrink();
    const upTo = this.#length;
    return {
      scores: this.#scores.slice(0, upTo),
      ones: this.#ones.slice(0, upTo),
      others: this.#others.slice(0, upTo),
    };
  }

  #shrink(): void {
    const order = Uint32Array.from({ length: this.#length }, (_, i) => i);
    const scores = this.#scores;
    order.sort((a, b) => scores[b]! - scores[a]! || a - b);
    const kept = order.subarray(0, this.#capacity);
    const moved = <T extends Float32Array | Uint32Array>(from: T, to: T): T => {
      for (let i = 0; i < kept.length; i++) to[i] = from[kept[i]!]!;
      return to;
    };
    this.#scores = moved(scores, new Float32Array(scores.length));
    this.#ones = moved(this.#ones, new Uint32Array(scores.length));
    this.#others = moved(this.#others, new Uint32Array(scores.length));
    this.#length = kept.length;
    if (kept.length === this.#capacity) this.#floor = this.#scores[kept.length - 1]!;
  }
}
