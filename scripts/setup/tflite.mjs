/**
 * Reads a TensorFlow Lite model (a FlatBuffer; schema v3) as far as plain convolutional embedders need it. A table is a list of
 * optional fields found through its vtable; every offset counts from where it is written.
 */

export class TfliteError extends Error {
  /** @override */
  name = 'TfliteError';
}

/**
 * @typedef {{ shape: number[], values: Float32Array | null }} Tensor values of a constant
 * @typedef {{ code: number, inputs: number[], outputs: number[], byte: (field: number) => number, int: (field: number) => number }} Operator
 *   code: BuiltinOperator; byte, int: a field of its options
 */

/** Slots of the tables, in the schema's order. */
const MODEL = { codes: 1, subgraphs: 2, buffers: 4 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2 };
const OPERATOR = { index: 0, inputs: 1, outputs: 2, options: 4 };
const FLOAT32 = 0;

/** @param {Buffer} file @returns {{ tensors: Tensor[], operators: Operator[], inputs: number[], outputs: number[] }} */
export function readTflite(file) {
  if (file.toString('latin1', 4, 8) !== 'TFL3') throw new TfliteError('not a TensorFlow Lite model');
  try {
    return parsed(file);
  } catch (cause) {
    if (cause instanceof RangeError) throw new TfliteError('a TensorFlow Lite model that ends too early', { cause });
    throw cause;
  }
}

/** @param {Buffer} file */
function parsed(file) {
  /** Where a table's field lies, 0 where it is absent. @param {number} table @param {number} slot */
  const field = (table, slot) => {
    const vtable = table - file.readInt32LE(table);
    const entry = 4 + 2 * slot;
    const offset = entry < file.readUInt16LE(vtable) ? file.readUInt16LE(vtable + entry) : 0;
    return offset === 0 ? 0 : table + offset;
  };
  /** @param {number} at */
  const follow = (at) => at + file.readUInt32LE(at);
  /** @param {number} table @param {number} slot @returns {number[]} where the entries of a vector of 4 bytes each lie */
  const entries = (table, slot) => {
    const at = field(table, slot);
    if (at === 0) return [];
    const vector = follow(at);
    return Array.from({ length: file.readUInt32LE(vector) }, (_, i) => vector + 4 + 4 * i);
  };
  /** @param {number} table @param {number} slot */
  const tables = (table, slot) => entries(table, slot).map(follow);
  /** @param {number} table @param {number} slot */
  const ints = (table, slot) => entries(table, slot).map((at) => file.readInt32LE(at));
  /** @param {number} table @param {number} slot */
  const byte = (table, slot) => (table && field(table, slot) ? file.readInt8(field(table, slot)) : 0);
  /** @param {number} table @param {number} slot */
  const int = (table, slot) => (table && field(table, slot) ? file.readInt32LE(field(table, slot)) : 0);

  const model = follow(0);
  // The byte is from when there were fewer operators; 127 says that the longer field counts.
  const codes = tables(model, MODEL.codes).map((table) => Math.max(byte(table, 0), int(table, 3)));
  const buffers = tables(model, MODEL.buffers).map((table) => {
    const at = field(table, 0);
    if (at === 0) return null;
    const vector = follow(at);
    const length = file.readUInt32LE(vector);
    if (vector + 4 + length > file.length) throw new TfliteError('a TensorFlow Lite model that ends too early');
    return file.subarray(vector + 4, vector + 4 + length);
  });
  const [subgraph, ...others] = tables(model, MODEL.subgraphs);
  if (subgraph === undefined || others.length > 0) throw new TfliteError('not one graph');
  const tensors = tables(subgraph, SUBGRAPH.tensors).map((table) => {
    const bytes = buffers[int(table, TENSOR.buffer)] ?? null;
    const constant = bytes !== null && bytes.length > 0 && byte(table, TENSOR.type) === FLOAT32;
    return {
      shape: ints(table, TENSOR.shape),
      values: constant ? new Float32Array(new Uint8Array(bytes).buffer) : null,
    };
  });
  const operators = tables(subgraph, SUBGRAPH.operators).map((table) => {
    const options = field(table, OPERATOR.options) ? follow(field(table, OPERATOR.options)) : 0;
    return {
      code: codes[int(table, OPERATOR.index)] ?? -1,
      inputs: ints(table, OPERATOR.inputs),
      outputs: ints(table, OPERATOR.outputs),
      byte: (/** @type {number} */ slot) => byte(options, slot),
      int: (/** @type {number} */ slot) => int(options, slot),
    };
  });
  return { tensors, operators, inputs: ints(subgraph, SUBGRAPH.inputs), outputs: ints(subgraph, SUBGRAPH.outputs) };
}
