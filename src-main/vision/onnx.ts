/**
 * As much of ONNX files (Protocol Buffers, onnx.proto3) as it takes to change a model in memory, after its checksum was compared and before the
 * runtime gets it. Reading ends at anything malformed: what is no model is for the runtime to refuse.
 */

export const MODEL = { graph: 7 } as const;
export const GRAPH = { node: 1, initializer: 5, output: 12, valueInfo: 13 } as const;
export const VALUE_INFO = { name: 1 } as const;
export const NODE = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
export const ATTRIBUTE = { name: 1, int: 3, graph: 6, ints: 8, graphs: 11, type: 20 } as const;
export const TENSOR = { dims: 1, type: 2, floats: 4, name: 8, raw: 9 } as const;
/** TensorProto.DataType. */
export const FLOAT = 1;
/** AttributeProto.AttributeType. */
const INT = 2;
const INTS = 7;

export interface Field {
  readonly number: number;
  /** The value of a number field; 0 for others. */
  readonly value: number;
  /** Where a length-delimited field's content lies; empty for others. */
  readonly from: number;
  readonly to: number;
  /** Where the field begins, with its key; it ends at `to`. */
  readonly start: number;
}

/** The fields of one protobuf message; ends early at anything malformed. */
export function* fields(bytes: Uint8Array, from = 0, to = bytes.length): Generator<Field> {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < to && scale <= 2 ** 49; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    at = to;
    return -1;
  };
  while (at < to) {
    const start = at;
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key & 7) {
      case 0: {
        const value = varint();
        yield { number, value, from: at, to: at, start };
        break;
      }
      case 1:
      case 5:
        at += (key & 7) === 1 ? 8 : 4;
        if (at > to) return;
        yield { number, value: 0, from: at, to: at, start };
        break;
      case 2: {
        const length = varint();
        if (length < 0 || at + length > to) return;
        yield { number, value: 0, from: at, to: at + length, start };
        at += length;
        break;
      }
      default:
        return;
    }
  }
}

export interface Attribute {
  readonly name: string;
  readonly int: number;
  readonly whole: Uint8Array;
  /** A part of the graph of its own, as loops have. */
  readonly graph: boolean;
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Attribute[];
}

export interface Tensor {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

export function readNode(bytes: Uint8Array): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Attribute[] = [];
  let operator = '';
  for (const { number, from, to } of fields(bytes)) {
    const content = bytes.subarray(from, to);
    if (number === NODE.input) inputs.push(text(content));
    else if (number === NODE.output) outputs.push(text(content));
    else if (number === NODE.operator) operator = text(content);
    else if (number === NODE.attribute) attributes.push(readAttribute(content));
  }
  return { operator, inputs, outputs, attributes };
}

function readAttribute(whole: Uint8Array): Attribute {
  let name = '';
  let int = 0;
  let graph = false;
  for (const { number, value, from, to } of fields(whole)) {
    if (number === ATTRIBUTE.name) name = text(whole.subarray(from, to));
    else if (number === ATTRIBUTE.int) int = value;
    else if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs) graph = true;
  }
  return { name, int, graph, whole };
}

/** A constant's name, and what it holds where that is floats. */
export function readTensor(bytes: Uint8Array): { readonly name: string; readonly tensor: Tensor | null } {
  const dims: number[] = [];
  let name = '';
  let type = 0;
  let content: Uint8Array | null = null;
  for (const { number, value, from, to } of fields(bytes)) {
    if (number === TENSOR.dims) dims.push(...(to > from ? varints(bytes, from, to) : [value]));
    else if (number === TENSOR.type) type = value;
    else if (number === TENSOR.name) name = text(bytes.subarray(from, to));
    else if ((number === TENSOR.raw || number === TENSOR.floats) && to > from)
      content = Uint8Array.from(bytes.subarray(from, to));
  }
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (type !== FLOAT || content?.length !== 4 * size) return { name, tensor: null };
  return { name, tensor: { dims, values: new Float32Array(content.buffer) } };
}

function varints(bytes: Uint8Array, from: number, to: number): number[] {
  const values: number[] = [];
  for (let at = from, value = 0, scale = 1; at < to; at++) {
    value += (bytes[at]! & 127) * scale;
    scale *= 128;
    if (bytes[at]! >= 128) continue;
    values.push(value);
    value = 0;
    scale = 1;
  }
  return values;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

export function numberField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(8 * number), ...varint(value)]);
}

export function bytesField(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([Uint8Array.from([...varint(8 * number + 2), ...varint(bytes.length)]), bytes]);
}

export function writeNode({ operator, inputs, outputs, attributes }: Node): Uint8Array {
  return Buffer.concat([
    ...inputs.map((name) => bytesField(NODE.input, name)),
    ...outputs.map((name) => bytesField(NODE.output, name)),
    bytesField(NODE.operator, operator),
    ...attributes.map(({ whole }) => bytesField(NODE.attribute, whole)),
  ]);
}

export function writeTensor(name: string, { dims, values }: Tensor): Uint8Array {
  return Buffer.concat([
    ...dims.map((dim) => numberField(TENSOR.dims, dim)),
    numberField(TENSOR.type, FLOAT),
    bytesField(TENSOR.name, name),
    bytesField(TENSOR.raw, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]);
}

export function int(name: string, value: number): Attribute {
  const whole = [bytesField(ATTRIBUTE.name, name), numberField(ATTRIBUTE.int, value), numberField(ATTRIBUTE.type, INT)];
  return { name, int: value, graph: false, whole: Buffer.concat(whole) };
}

export function ints(name: string, values: readonly number[]): Attribute {
  const numbers = values.map((value) => numberField(ATTRIBUTE.ints, value));
  const whole = [bytesField(ATTRIBUTE.name, name), ...numbers, numberField(ATTRIBUTE.type, INTS)];
  return { name, int: 0, graph: false, whole: Buffer.concat(whole) };
}
