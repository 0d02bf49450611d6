import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ComposeError, sideBySide } from './compose.mjs';
import { bytesField, fieldsOf, numberField } from './protobuf.mjs';
import { readTflite } from './tflite.mjs';

// CommonJS with an export that named ES imports do not see (src-main/vision/model.ts).
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node');

const ROOT = join(import.meta.dirname, '../..');
const TFLITE = join(ROOT, '.cache/parts/MobileFaceNet.tflite');

/** An "embedder" whose embedding is the mean of each channel; its tensors have the names that others' have too. */
function channelMeans(opset = 9): Buffer {
  const named = (name: string) => bytesField(1, name);
  const node = (operator: string, from: string, to: string) =>
    bytesField(1, Buffer.concat([bytesField(1, from), bytesField(2, to), bytesField(4, operator)]));
  const graph = Buffer.concat([
    node('GlobalAveragePool', 'input', '1'),
    node('Flatten', '1', 'output'),
    bytesField(11, named('input')),
    bytesField(12, named('output')),
  ]);
  return Buffer.concat([bytesField(8, numberField(2, opset)), bytesField(7, graph)]);
}

const PICTURE = { width: 4, height: 6, rows: 4 };

describe('two embedders side by side', () => {
  test('look at their own rows, and their embeddings of length 1 stand one after the other', async () => {
    const model = sideBySide(
      [
        { file: 'a.onnx', body: channelMeans(), fromRow: 2 },
        { file: 'b.onnx', body: channelMeans(), fromRow: 0 },
      ],
      PICTURE,
    );
    // Red is 3 in the two topmost rows alone, green 4 in the two lowest, blue 1 everywhere.
    const plane = (value: (row: number) => number) => Array.from({ length: 24 }, (_, i) => value(Math.floor(i / 4)));
    const picture = [plane((row) => (row < 2 ? 3 : 0)), plane((row) => (row > 3 ? 4 : 0)), plane(() => 1)].flat();
    const session = await ort.InferenceSession.create(model);
    const input = new ort.Tensor('float32', Float32Array.from(picture), [1, 3, 6, 4]);
    const { output } = await session.run({ input });
    await session.release();
    const unit = (...values: number[]) => values.map((value) => value / Math.hypot(...values));
    const expected = [...unit(0, 2, 1), ...unit(1.5, 0, 1)];
    expect(output!.dims).toEqual([1, 6]);
    for (const [i, value] of (output!.data as Float32Array).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  });

  test('are refused by the name of the part that does not fit', () => {
    const with_ = (body: Buffer, file = 'b.onnx', fromRow = 0) =>
      sideBySide(
        [
          { file: 'a.onnx', body: channelMeans(), fromRow: 0 },
          { file, body, fromRow },
        ],
        PICTURE,
      );
    expect(() => with_(Buffer.from(''))).toThrow('b.onnx: not an ONNX model');
    expect(() => with_(channelMeans(17))).toThrow('b.onnx: operators of version 17, not 9');
    expect(() => with_(channelMeans(), 'b.onnx', 3)).toThrow(ComposeError);
    expect(() => with_(channelMeans(), 'b.tflite')).toThrow('not a TensorFlow Lite model');
    expect(() => with_(channelMeans().subarray(0, 20))).toThrow('a message ends within');
  });

  test.skipIf(!existsSync(TFLITE))(
    'are the shipped embedder to the byte, from the parts that its manifest names',
    () => {
      const { source, input, sha256 } = JSON.parse(readFileSync(join(ROOT, 'models/embedder.json'), 'utf8'));
      const parts = source.parts.map(({ file, fromRow }: { file: string; fromRow: number }) => {
        const name = file.split('/').at(-1)!;
        return { file: name, body: readFileSync(join(ROOT, '.cache/parts', name)), fromRow };
      });
      const made = sideBySide(parts, { width: input.width, height: input.height, rows: source.rows });
      expect(createHash('sha256').update(made).digest('hex')).toBe(sha256);
    },
  );

  test.skipIf(!existsSync(TFLITE))('are refused where a TensorFlow Lite model ends too early', () => {
    const whole = readFileSync(TFLITE);
    expect(() => readTflite(whole.subarray(0, whole.length - 5_000_000))).toThrow('ends too early');
  });
});

test('numbers and bytes of a message come back as they were written', () => {
  const fields = fieldsOf(Buffer.concat([numberField(5, 300), bytesField(20, 'text'), numberField(1, 2 ** 40)]));
  expect(fields.map(({ number, value, bytes }) => [number, value, bytes?.toString()])).toEqual([
    [5, 300, undefined],
    [20, 0, 'text'],
    [1, 2 ** 40, undefined],
  ]);
});
