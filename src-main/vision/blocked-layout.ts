/**
 * ONNX Runtime runs convolutions fastest with their channels in blocks, and keeps that layout from one to the next while what lies between
 * them knows it. A PReLU does not: before each the runtime lays everything out plainly, and in blocks again behind it. With the
 * default embedders that was more than half of a run. Nor does a depthwise convolution whose channels do not fill whole blocks. So both
 * are said in other words, in memory, after the checksum was compared; what comes out differs by rounding alone.
 *
 * - A PReLU is a·x + relu((1 − a)·x), a its slope in a channel: two depthwise convolutions of 1 × 1, and the runtime does the relu within the
 *   first and the sum within the second. That takes a ≤ 1. Where a is larger than 1 or less than −1 the channel is turned round: the PReLU of −x
 *   with slope 1/a, times −a, is the same. The −1 goes into the convolution before, −a into those behind.
 * - Channels between two plain convolutions are filled up with ones that are 0.
 *
 * What stands otherwise in a model is left as it is. Where the runtime has no such layout, the answers are the same and later.
 */
import {
  type Attribute,
  bytesField,
  fields,
  GRAPH,
  int,
  ints,
  MODEL,
  type Node,
  readNode,
  readTensor,
  type Tensor,
  VALUE_INFO,
  writeNode,
  writeTensor,
} from './onnx.ts';

/** Channels in a block: 8 with AVX2, 16 with AVX-512. */
const BLOCK = 16;

/** The model, or the same model in other words. */
export function inBlocks(model: Uint8Array): Uint8Array {
  const field = [...fields(model)].find(({ number }) => number === MODEL.graph);
  if (!field) return model;
  const graph = new Graph(model.subarray(field.from, field.to));
  if (graph.nested) return model;
  for (const node of graph.nodes) fillBlocks(graph, node);
  for (const node of graph.nodes) replacePRelu(graph, node);
  if (!graph.changed) return model;
  const rest = (from: number, to: number) => model.subarray(from, to);
  return Buffer.concat([rest(0, field.start), bytesField(MODEL.graph, graph.written()), rest(field.to, model.length)]);
}

/** A node as it stands in the file, or `whole` null, and as it is now. */
interface Step extends Node {
  inputs: string[];
  attributes: readonly Attribute[];
  whole: Uint8Array | null;
}

class Graph {
  nodes: readonly Step[];
  /** Loops and branches have graphs of their own, which may use any value. */
  readonly nested: boolean;
  changed = false;
  readonly #bytes: Uint8Array;
  readonly #constants = new Map<string, Tensor>();
  readonly #added = new Map<string, Tensor>();
  readonly #producers = new Map<string, Step>();
  readonly #users = new Map<string, Step[]>();
  /** What the model gives out. */
  readonly #outputs = new Set<string>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const nodes: Step[] = [];
    for (const { number, from, to } of fields(bytes)) {
      const content = bytes.subarray(from, to);
      if (number === GRAPH.node) {
        const node = readNode(content);
        nodes.push({ ...node, inputs: [...node.inputs], whole: content });
      } else if (number === GRAPH.initializer) {
        const { name, tensor } = readTensor(content);
        if (tensor) this.#constants.set(name, tensor);
      } else if (number === GRAPH.output) {
        const name = [...fields(content)].find((field) => field.number === VALUE_INFO.name);
        if (name) this.#outputs.add(Buffer.from(content.subarray(name.from, name.to)).toString());
      }
    }
    this.nodes = nodes;
    this.nested = nodes.some(({ attributes }) => attributes.some(({ graph }) => graph));
    for (const node of nodes) {
      for (const name of node.outputs) this.#producers.set(name, node);
      for (const name of node.inputs) this.#users.set(name, [...(this.#users.get(name) ?? []), node]);
    }
  }

  constant(name: string | undefined): Tensor | null {
    return this.#constants.get(name ?? '') ?? null;
  }

  producer(name: string | undefined): Step | null {
    return this.#producers.get(name ?? '') ?? null;
  }

  /** All of them; null where the value is the model's output as well. */
  users(name: string | undefined): readonly Step[] | null {
    return name === undefined || this.#outputs.has(name) ? null : (this.#users.get(name) ?? []);
  }

  /** The only user; null where there are more or none. */
  user(name: string | undefined): Step | null {
    const users = this.users(name);
    return users?.length === 1 ? users[0]! : null;
  }

  /** Under a name of its own: others may use the constant that it replaces. */
  add(name: string, tensor: Tensor): string {
    const own = `${name}/blocks${this.#added.size}`;
    this.#added.set(own, tensor);
    this.#constants.set(own, tensor);
    return own;
  }

  /** Another constant at a node's input. */
  set(node: Step, input: number, tensor: Tensor): void {
    node.inputs[input] = this.add(node.inputs[input]!, tensor);
    node.whole = null;
    this.changed = true;
  }

  replace(node: Step, others: readonly Node[]): void {
    const steps = others.map((other) => ({ ...other, inputs: [...other.inputs], whole: null }));
    this.nodes = this.nodes.flatMap((one) => (one === node ? steps : [one]));
    this.changed = true;
  }

  /** Without what the file says of shapes in between, which may be others now. */
  written(): Uint8Array {
    const parts = this.nodes.map((node) => bytesField(GRAPH.node, node.whole ?? writeNode(node)));
    for (const { number, start, to } of fields(this.#bytes)) {
      if (number !== GRAPH.node && number !== GRAPH.valueInfo) parts.push(this.#bytes.subarray(start, to));
    }
    for (const [name, tensor] of this.#added) parts.push(bytesField(GRAPH.initializer, writeTensor(name, tensor)));
    return Buffer.concat(parts);
  }
}

interface Convolution {
  readonly node: Step;
  readonly weights: Tensor;
  readonly bias: Tensor | null;
  /** One filter a channel; otherwise every filter sees all channels. */
  readonly depthwise: boolean;
}

/** Of two dimensions, with constant weights, in one group or depthwise; null for everything else. */
function convolution(graph: Graph, node: Step | null): Convolution | null {
  if (node?.operator !== 'Conv') return null;
  const weights = graph.constant(node.inputs[1]);
  const bias = graph.constant(node.inputs[2]);
  if (weights?.dims.length !== 4 || (node.inputs[2] && !bias)) return null;
  const groups = node.attributes.find(({ name }) => name === 'group')?.int ?? 1;
  const [filters, depth] = weights.dims;
  if (groups === 1) return { node, weights, bias, depthwise: false };
  return groups === filters && depth === 1 ? { node, weights, bias, depthwise: true } : null;
}

/** A depthwise convolution between two plain ones, as far as only PReLUs and ReLUs stand between. */
function fillBlocks(graph: Graph, node: Step): void {
  const middle = convolution(graph, node);
  const channels = middle?.weights.dims[0] ?? 0;
  if (!middle?.depthwise || channels % BLOCK === 0) return;
  const slopes: Step[] = [];
  /** Whether a node leaves every channel to itself. */
  const passes = (one: Step | null): one is Step =>
    one?.operator === 'Relu' || (one?.operator === 'PRelu' && slopesOf(graph, one)?.length === channels);
  const first = graph.producer(node.inputs[0]);
  const last = graph.user(node.outputs[0]);
  let before = first;
  if (passes(first)) before = graph.producer(first.inputs[0]);
  let after = last;
  if (passes(last)) after = graph.user(last.outputs[0]);
  const [into, from] = [convolution(graph, before), convolution(graph, after)];
  const between = [before?.outputs[0], first?.outputs[0]];
  if (!into || into.depthwise || !from || from.depthwise || between.some((name) => !graph.user(name))) return;
  if (into.weights.dims[0] !== channels || from.weights.dims[1] !== channels) return;
  for (const one of [first, last]) if (one?.operator === 'PRelu') slopes.push(one);
  const size = Math.ceil(channels / BLOCK) * BLOCK;
  for (const { node: one, weights, bias } of [into, middle]) {
    graph.set(one, 1, grown(weights, 0, size));
    if (bias) graph.set(one, 2, grown(bias, 0, size));
  }
  for (const one of slopes) {
    const tensor = graph.constant(one.inputs[1])!;
    graph.set(one, 1, grown(tensor, tensor.dims.length - 3, size));
  }
  graph.set(from.node, 1, grown(from.weights, 1, size));
  node.attributes = node.attributes.map((one) => (one.name === 'group' ? int('group', size) : one));
}

/** With zeros at the end of one dimension. */
function grown({ dims, values }: Tensor, axis: number, size: number): Tensor {
  const product = (numbers: readonly number[]) => numbers.reduce((all, one) => all * one, 1);
  const inner = product(dims.slice(axis + 1));
  const [before, now] = [dims[axis]! * inner, size * inner];
  const out = new Float32Array(product(dims.slice(0, axis)) * now);
  for (let from = 0, to = 0; from < values.length; from += before, to += now) {
    out.set(values.subarray(from, from + before), to);
  }
  return { dims: dims.with(axis, size), values: out };
}

/** One a channel; null where they are otherwise. */
function slopesOf(graph: Graph, node: Step): Float32Array | null {
  const slope = graph.constant(node.inputs[1]);
  return slope && slope.dims.length >= 3 && slope.dims.at(-3) === slope.values.length ? slope.values : null;
}

function replacePRelu(graph: Graph, node: Step): void {
  if (node.operator !== 'PRelu') return;
  const [input, name] = node.inputs as [string, string];
  const slopes = slopesOf(graph, node)?.slice();
  const before = convolution(graph, graph.producer(input));
  if (!slopes || !before || before.weights.dims[0] !== slopes.length || !graph.user(input)) return;
  turnRound(graph, slopes, before, node.outputs[0]);
  if (slopes.some((slope) => slope > 1)) return;
  const attributes = [ints('kernel_shape', [1, 1]), int('group', slopes.length)];
  const scaled = (of: (slope: number) => number, to: string): Node => {
    const weights = graph.add(name, { dims: [slopes.length, 1, 1, 1], values: slopes.map(of) });
    return { operator: 'Conv', inputs: [input, weights], outputs: [to], attributes };
  };
  const [output] = node.outputs as [string];
  const [rest, bent, straight] = [`${output}/rest`, `${output}/bent`, `${output}/straight`];
  graph.replace(node, [
    scaled((slope) => 1 - slope, rest),
    { operator: 'Relu', inputs: [rest], outputs: [bent], attributes: [] },
    scaled((slope) => slope, straight),
    { operator: 'Add', inputs: [straight, bent], outputs: [output], attributes: [] },
  ]);
}

/** The channels whose slope is beyond ±1, where all that follows are convolutions, which take the rest upon them. Changes `slopes`. */
function turnRound(graph: Graph, slopes: Float32Array, before: Convolution, output: string | undefined): void {
  if (!slopes.some((slope) => Math.abs(slope) > 1)) return;
  const users = graph.users(output);
  const behind = users?.flatMap((user) => convolution(graph, user) ?? []) ?? [];
  if (!users || behind.length !== users.length) return;
  const turned = [...slopes.keys()].filter((channel) => Math.abs(slopes[channel]!) > 1);
  const away = () => -1;
  graph.set(before.node, 1, multiplied(before.weights, 0, turned, away));
  if (before.bias) graph.set(before.node, 2, multiplied(before.bias, 0, turned, away));
  for (const { node, weights, depthwise } of behind) {
    graph.set(
      node,
      1,
      multiplied(weights, depthwise ? 0 : 1, turned, (channel) => -slopes[channel]!),
    );
  }
  for (const channel of turned) slopes[channel] = 1 / slopes[channel]!;
}

function multiplied(
  { dims, values }: Tensor,
  axis: number,
  channels: readonly number[],
  factor: (channel: number) => number,
): Tensor {
  const out = values.slice();
  const inner = dims.slice(axis + 1).reduce((all, one) => all * one, 1);
  const stride = dims[axis]! * inner;
  for (const channel of channels) {
    for (let start = channel * inner; start < out.length; start += stride) {
      for (let i = start; i < start + inner; i++) out[i]! *= factor(channel);
    }
  }
  return { dims, values: out };
}
