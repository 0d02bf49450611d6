import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inBlocks } from './blocked-layout.ts';
import { loadManifests, weightsFile } from './manifest.ts';
import { sessionOptions } from './model.ts';
import { clearNegligibleWeights } from './negligible-weights.ts';
import {
  type Attribute,
  bytesField,
  fields,
  int,
  ints,
  type Node,
  numberField,
  readNode,
  writeNode,
  writeTensor,
} from './onnx.ts';

const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node');
const ROOT = join(import.meta.dirname, '..', '..');

type Constants = Record<string, readonly [dims: readonly number[], of?: (i: number) => number]>;
const SIDE = 6;

/** Values that look drawn by chance and are the same each time. */
const wave = (i: number) => Math.sin(1.7 * i + 1) * (1 + (i % 5));

/** A model from one picture `x` of three channels to `outputs`. */
function modelOf(nodes: readonly Node[], constants: Constants, outputs: readonly string[]): Uint8Array {
  const info = (name: string, dims: readonly number[]) => {
    const shape = bytesField(2, Buffer.concat(dims.map((dim) => bytesField(1, numberField(1, dim)))));
    const type = bytesField(1, Buffer.concat([numberField(1, 1), ...(dims.length > 0 ? [shape] : [])]));
    return Buffer.concat([bytesField(1, name), bytesField(2, type)]);
  };
  const graph = Buffer.concat([
    ...nodes.map((node) => bytesField(1, writeNode(node))),
    bytesField(2, 'g'),
    ...Object.entries(constants).map(([name, [dims, of = wave]]) => {
      const size = dims.reduce((all, one) => all * one, 1);
      return bytesField(5, writeTensor(name, { dims, values: Float32Array.from({ length: size }, (_, i) => of(i)) }));
    }),
    bytesField(11, info('x', [1, 3, SIDE, SIDE])),
    ...outputs.map((name) => bytesField(12, info(name, []))),
  ]);
  const opset = Buffer.concat([bytesField(1, ''), numberField(2, 9)]);
  return Buffer.concat([numberField(1, 8), bytesField(8, opset), bytesField(7, graph)]);
}

const node = (operator: string, inputs: string[], output: string, attributes: Attribute[] = []): Node => ({
  ...{ operator, inputs, outputs: [output], attributes },
});
const conv = (input: string, weights: string, output: string, side: number, group = 1) =>
  node('Conv', [input, ...weights.split(' ')], output, [
    ints('kernel_shape', [side, side]),
    ints('pads', [side >> 1, side >> 1, side >> 1, side >> 1]),
    int('group', group),
  ]);

async function answersOf(model: Uint8Array, dims: readonly number[], of: (i: number) => number = wave) {
  const session = await ort.InferenceSession.create(model, sessionOptions(1));
  const size = dims.reduce((all, one) => all * one, 1);
  const picture = new ort.Tensor(
    'float32',
    Float32Array.from({ length: size }, (_, i) => of(i)),
    dims,
  );
  const outputs = await session.run({ [session.inputNames[0]!]: picture });
  await session.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
}

const PICTURE = [1, 3, SIDE, SIDE];

/** The largest difference of any answer, as a share of the largest answer. */
async function difference(one: Uint8Array, other: Uint8Array, dims = PICTURE, of = wave): Promise<number> {
  const [before, after] = [await answersOf(one, dims, of), await answersOf(other, dims, of)];
  expect(Object.keys(after)).toEqual(Object.keys(before));
  let [most, largest] = [0, 0];
  for (const [name, values] of Object.entries(before)) {
    expect(after[name]).toHaveLength(values.length);
    for (const [i, value] of values.entries()) {
      largest = Math.max(largest, Math.abs(value));
      most = Math.max(most, Math.abs(value - after[name]![i]!));
    }
  }
  expect(largest).toBeGreaterThan(0);
  return most / largest;
}

function nodesOf(model: Uint8Array): Node[] {
  const graph = [...fields(model)].find(({ number }) => number === 7)!;
  return [...fields(model, graph.from, graph.to)]
    .filter(({ number }) => number === 1)
    .map(({ from, to }) => readNode(model.subarray(from, to)));
}
const left = (model: Uint8Array) => nodesOf(model).filter(({ operator }) => operator === 'PRelu').length;

/** x → 13 channels → depthwise → 3 channels, a PReLU behind either of the first two; its channels fill no blocks. */
const NARROW = modelOf(
  [
    conv('x', 'w1 b1', 'c1', 1),
    node('PRelu', ['c1', 'a1'], 'p1'),
    conv('p1', 'w2 b2', 'c2', 3, 13),
    node('PRelu', ['c2', 'a2'], 'p2'),
    conv('p2', 'w3', 'y', 1),
  ],
  {
    ...{ w1: [[13, 3, 1, 1]], b1: [[13]], w2: [[13, 1, 3, 3]], b2: [[13]], w3: [[3, 13, 1, 1]] },
    a1: [[13, 1, 1], (i) => (i - 6) / 3],
    a2: [[13, 1, 1], (i) => (i === 4 ? 0 : wave(i))],
  },
  ['y'],
);

describe('in blocks', () => {
  test('answers the same with any slope, below −1, 0 and above 1, and with channels that fill no blocks', async () => {
    const other = inBlocks(NARROW);
    expect(nodesOf(other).map(({ operator }) => operator)).toEqual([
      'Conv',
      'Conv',
      'Relu',
      'Conv',
      'Add',
      'Conv',
      'Conv',
      'Relu',
      'Conv',
      'Add',
      'Conv',
    ]);
    const groups = nodesOf(other).flatMap((one) => one.attributes.filter(({ name }) => name === 'group'));
    expect(groups.map((group) => group.int)).toEqual([1, 16, 16, 16, 16, 16, 1]);
    expect(await difference(NARROW, other)).toBeLessThan(1e-6);
  });

  test('a turned channel is turned for everybody who sees it', async () => {
    const model = modelOf(
      [
        conv('x', 'w1', 'c1', 1),
        node('PRelu', ['c1', 'a1'], 'p1'),
        conv('p1', 'w2', 'y', 3, 16),
        conv('p1', 'w3 b3', 'z', 1),
      ],
      {
        ...{ w1: [[16, 3, 1, 1]], a1: [[16, 1, 1]], w2: [[16, 1, 3, 3]], w3: [[5, 16, 1, 1]], b3: [[5]] },
      },
      ['y', 'z'],
    );
    const other = inBlocks(model);
    expect(left(other)).toBe(0);
    expect(await difference(model, other)).toBeLessThan(1e-6);
  });

  test('constants that several nodes share stay what they are for the others', async () => {
    const model = modelOf(
      [
        conv('x', 'w1 b', 'c1', 1),
        node('PRelu', ['c1', 'a'], 'p1'),
        conv('p1', 'w2 b', 'c2', 1),
        node('PRelu', ['c2', 'a'], 'p2'),
        conv('p2', 'w2 b', 'c3', 1),
        node('Sigmoid', ['c3'], 'y'),
      ],
      { w1: [[16, 3, 1, 1]], w2: [[16, 16, 1, 1], (i) => wave(i) / 40], b: [[16]], a: [[16, 1, 1]] },
      ['y'],
    );
    expect(left(inBlocks(model))).toBe(0);
    expect(await difference(model, inBlocks(model))).toBeLessThan(1e-6);
  });

  test('a PReLU stays where its channel can not be turned: somebody else sees it', async () => {
    const steep: Constants = { w1: [[16, 3, 1, 1]], a1: [[16, 1, 1], () => 1.5], w2: [[2, 16, 1, 1]] };
    const start = [conv('x', 'w1', 'c1', 1), node('PRelu', ['c1', 'a1'], 'p1')];
    const given = modelOf([...start, conv('p1', 'w2', 'y', 1)], steep, ['y', 'p1']);
    const added = modelOf([...start, conv('p1', 'w2', 'y', 1), node('Sigmoid', ['p1'], 'z')], steep, ['y', 'z']);
    const bare = modelOf([...start, node('Sigmoid', ['c1'], 'z')], { ...steep, a1: [[16, 1, 1], () => 0.5] }, [
      ...['p1', 'z'],
    ]);
    for (const model of [given, added, bare]) expect(inBlocks(model)).toBe(model);
  });

  test('a model with a graph within its graph, one slope for all channels, or no model at all stays as it is', () => {
    const graph: Attribute = {
      ...{ name: 'body', int: 0, graph: true },
      whole: Buffer.concat([bytesField(1, 'body'), bytesField(6, '')]),
    };
    const nested = modelOf(
      [conv('x', 'w', 'c', 1), node('PRelu', ['c', 'a'], 'p'), node('Loop', ['p'], 'y', [graph])],
      { w: [[16, 3, 1, 1]], a: [[16, 1, 1], () => 0.1] },
      ['y'],
    );
    const single = modelOf(
      [conv('x', 'w', 'c', 1), node('PRelu', ['c', 'a'], 'y')],
      { w: [[16, 3, 1, 1]], a: [[1], () => 0.1] },
      ['y'],
    );
    for (const model of [nested, single, new Uint8Array(0), Uint8Array.of(0x3a, 0xff, 0xff), new Uint8Array(64)]) {
      expect(inBlocks(model)).toBe(model);
    }
  });

  test.each([
    ['embedder', 66, 1],
    ['liveness', 33, 255],
  ] as const)('the %s that ships has none of its %i PReLUs left, and answers the same', async (role, count, most) => {
    const manifest = (await loadManifests(join(ROOT, 'models')))[role];
    const model = await readFile(join(ROOT, '.cache', 'models', weightsFile(manifest)));
    clearNegligibleWeights(model);
    const other = inBlocks(model);
    expect([left(model), left(other)]).toEqual([count, 0]);
    const { width, height } = manifest.input;
    const of = (i: number) => (most * (1 + Math.sin(i * i))) / 2;
    expect(await difference(model, other, [1, 3, height, width], of)).toBeLessThan(1e-5);
  });
});
