/**
 * One seed, many streams: each purpose draws from a stream of its own (AES-256 in counter mode under a key made of seed and
 * purpose), so that one draw more here shifts nothing there.
 */
import { type Cipheriv, createCipheriv, createHash } from 'node:crypto';
import type { Uuid } from '../../src-contract/primitives.ts';

const BLOCK = new Uint8Array(1024);

export class Stream {
  readonly #cipher: Cipheriv;
  #block: Buffer;
  #at = 0;

  constructor(seed: string) {
    this.#cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
    this.#block = this.#cipher.update(BLOCK);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      if (this.#at === this.#block.length) {
        this.#block = this.#cipher.update(BLOCK);
        this.#at = 0;
      }
      const here = Math.min(length - filled, this.#block.length - this.#at);
      bytes.set(this.#block.subarray(this.#at, this.#at + here), filled);
      this.#at += here;
      filled += here;
    }
    return bytes;
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    const bytes = this.bytes(4);
    return (((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0) / 2 ** 32;
  }

  /** Whole, from least to most, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.fraction() * values.length)]!;
  }

  /** One of them, more often the heavier. Null when all weigh nothing. */
  weighed<Value>(values: readonly (readonly [value: Value, weight: number])[]): Value | null {
    const total = values.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.fraction() * total;
    for (const [value, weight] of values) {
      if (weight <= 0) continue;
      if (left < weight) return value;
      left -= weight;
    }
    return values.findLast(([, weight]) => weight > 0)?.[0] ?? null;
  }
}

/** UUIDv7 (RFC 9562, 5.7) of this time and these bytes. */
export function uuidOf(atMs: number, random: Uint8Array): Uuid {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.max(0, atMs), 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [8, 12, 16, 20, 32].map((end, at, ends) => hex.slice(ends[at - 1] ?? 0, end)).join('-') as Uuid;
}

/** What src-main and src-bank take as their chance. */
export function chanceFrom(stream: Stream, now: () => number) {
  return {
    id: () => uuidOf(now(), stream.bytes(10)),
    bytes: (length: number) => stream.bytes(length),
    fraction: () => stream.fraction(),
  };
}
