import { describe, expect, test } from 'vitest';
import { clearNegligibleWeights } from './negligible-weights.ts';

/** One length-delimited protobuf field, shorter than 128 bytes. */
const field = (number: number, content: Uint8Array) => Uint8Array.of(number * 8 + 2, content.length, ...content);
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

function model(dataType: number, raw: Uint8Array): Uint8Array {
  const tensor = Uint8Array.of(2 * 8, dataType, ...field(8, Buffer.from('w')), ...field(9, raw));
  return Uint8Array.of(1 * 8, 7, ...field(7, field(5, tensor)));
}

describe('negligible weights', () => {
  test('become 0; all others stay as they are', () => {
    const bytes = model(1, floats(0.5, 1e-30, -1e-40, 0, -1e-9));
    expect(clearNegligibleWeights(bytes)).toBe(2);
    expect(bytes).toEqual(model(1, floats(0.5, 0, 0, 0, -1e-9)));
  });

  test('are looked for in float tensors only', () => {
    const int64 = model(7, floats(1e-30, 1e-40));
    const before = int64.slice();
    expect(clearNegligibleWeights(int64)).toBe(0);
    expect(int64).toEqual(before);
  });

  test('leaves what is not a model alone', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0x3a, 0xff, 0xff), new Uint8Array(64).fill(255)]) {
      const before = bytes.slice();
      expect(clearNegligibleWeights(bytes)).toBe(0);
      expect(bytes).toEqual(before);
    }
  });
});
