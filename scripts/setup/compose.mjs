/**
 * Two embedders as one ONNX model: both look at the same picture, each at its own rows of it, and their embeddings, each of length 1, stand
 * side by side. The cosine of two such embeddings is the mean of the cosines of both models. Deterministic to the byte: the result has a
 * checksum in the manifest like any other file.
 *
 * A part is an ONNX model, or a TensorFlow Lite model of convolutions and PReLUs, which is rewritten: height, width and channels
 * change places, and relu(x) + a · (x − |x|) becomes PRelu with slope 2a.
 *
 * Field numbers are onnx.proto3's.
 */
import { bytesField, fieldsOf, numberField } from './protobuf.mjs';
import { readTflite } from './tflite.mjs';

export class ComposeError extends Error {
  /** @override */
  name = 'ComposeError';
}

/** IR version 8; operators as of version 9, in which the parts' own are what they were. */
const IR_VERSION = 8;
const OPSET = 9;
const MODEL = { ir: 1, opset: 8, graph: 7 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, int: 3, text: 4, ints: 8, type: 20 };
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 };
const INT = 2;
const TEXT = 3;
const INTS = 7;
const FLOAT = 1;

/** @typedef {{ nodes: Buffer[], initializers: Buffer[], input: string, output: string }} Graph */

/**
 * @param {readonly { file: string, body: Buffer, fromRow: number }[]} parts fromRow: the first of the picture's rows that it looks at
 * @param {{ width: number, height: number, rows: number }} picture rows: how many each part looks at
 * @returns {Buffer}
 */
export function sideBySide(parts, { width, height, rows }) {
  /** @type {Buffer[]} */
  const nodes = [];
  /** @type {Buffer[]} */
  const initializers = [];
  const outputs = parts.map(({ file, body, fromRow }, i) => {
    if (fromRow < 0 || fromRow + rows > height) throw new ComposeError(`${file}: looks at rows that are not there`);
    const graph = file.endsWith('.tflite') ? fromTflite(body, file, `part${i}/`) : fromOnnx(body, file, `part${i}/`);
    nodes.push(
      node(
        'Slice',
        ['input'],
        [graph.input],
        [ints('axes', [2]), ints('starts', [fromRow]), ints('ends', [fromRow + rows])],
      ),
      ...graph.nodes,
      node('LpNormalization', [graph.output], [`part${i}/unit`], [int('axis', 1), int('p', 2)]),
    );
    initializers.push(...graph.initializers);
    return `part${i}/unit`;
  });
  nodes.push(node('Concat', outputs, ['output'], [int('axis', 1)]));
  const graph = Buffer.concat([
    ...nodes.map((one) => bytesField(GRAPH.node, one)),
    bytesField(GRAPH.name, 'side by side'),
    ...initializers.map((one) => bytesField(GRAPH.initializer, one)),
    bytesField(GRAPH.input, valueInfo('input', [1, 3, height, width])),
    bytesField(GRAPH.output, valueInfo('output', null)),
  ]);
  const opset = Buffer.concat([bytesField(1, ''), numberField(2, OPSET)]);
  return Buffer.concat([
    numberField(MODEL.ir, IR_VERSION),
    bytesField(MODEL.opset, opset),
    bytesField(MODEL.graph, graph),
  ]);
}

/** Its nodes and constants under names of their own. @param {Buffer} body @param {string} file @param {string} prefix @returns {Graph} */
function fromOnnx(body, file, prefix) {
  const model = fieldsOf(body);
  const graph = model.find(({ number }) => number === MODEL.graph)?.bytes;
  const opset = model.find(({ number }) => number === MODEL.opset)?.bytes;
  if (!graph || !opset) throw new ComposeError(`${file}: not an ONNX model`);
  const version = fieldsOf(opset).find(({ number }) => number === 2)?.value;
  if (version !== OPSET) throw new ComposeError(`${file}: operators of version ${version}, not ${OPSET}`);
  const fields = fieldsOf(graph);
  /** @param {number} number */
  const all = (number) => fields.flatMap((field) => (field.number === number && field.bytes ? [field.bytes] : []));
  /** @param {Buffer} message @param {readonly number[]} names @returns {Buffer} */
  const renamed = (message, names) =>
    Buffer.concat(
      fieldsOf(message).map((field) =>
        // An empty name stands for an input that is left out.
        names.includes(field.number) && field.bytes?.length
          ? bytesField(field.number, `${prefix}${field.bytes.toString()}`)
          : field.whole,
      ),
    );
  /** @param {Buffer} message @param {number} number */
  const nameOf = (message, number) =>
    fieldsOf(message)
      .find((field) => field.number === number)
      ?.bytes?.toString() ?? '';
  const constants = new Set(all(GRAPH.initializer).map((message) => nameOf(message, TENSOR.name)));
  const inputs = all(GRAPH.input).flatMap((message) => (constants.has(nameOf(message, 1)) ? [] : [nameOf(message, 1)]));
  const outputs = all(GRAPH.output).map((message) => nameOf(message, 1));
  const [input] = inputs;
  const [output] = outputs;
  if (!input || !output || inputs.length > 1 || outputs.length > 1)
    throw new ComposeError(`${file}: not one input and one output`);
  return {
    nodes: all(GRAPH.node).map((message) => renamed(message, [NODE.input, NODE.output])),
    initializers: all(GRAPH.initializer).map((message) => renamed(message, [TENSOR.name])),
    input: prefix + input,
    output: prefix + output,
  };
}

/** BuiltinOperator of TensorFlow Lite's schema. */
const TFLITE = { add: 0, convolution: 3, depthwise: 4, times: 18, relu: 19, reshape: 22, minus: 41, absolute: 101 };

/** @param {Buffer} body @param {string} file @param {string} prefix @returns {Graph} */
function fromTflite(body, file, prefix) {
  const { tensors, operators, inputs, outputs } = readTflite(body);
  const refuse = (/** @type {string} */ why) => new ComposeError(`${file}: ${why}`);
  /** @param {number | undefined} index */
  const name = (index) => `${prefix}${index}`;
  /** @param {number | undefined} index */
  const constant = (index) => {
    const tensor = tensors[index ?? -1];
    if (!tensor?.values) throw refuse('weights where there are none');
    return { shape: tensor.shape, values: tensor.values };
  };
  /** @type {Buffer[]} */
  const nodes = [];
  /** @type {Buffer[]} */
  const initializers = [];
  for (let at = 0; at < operators.length; at++) {
    const {
      code,
      inputs: from,
      outputs: to,
      byte,
      int: option,
    } = /** @type {import('./tflite.mjs').Operator} */ (operators[at]);
    const [x, y] = [name(from[0]), name(to[0])];
    if (code === TFLITE.convolution || code === TFLITE.depthwise) {
      const apart = code === TFLITE.depthwise;
      const { shape, values } = constant(from[1]);
      const [first = 0, high = 0, wide = 0, last = 0] = shape;
      // Output channels first; a depthwise filter has them last.
      const [out, into] = apart ? [last, first] : [first, last];
      const weights = new Float32Array(values.length);
      for (let o = 0, put = 0; o < out; o++)
        for (let i = 0; i < into; i++)
          for (let v = 0; v < high; v++)
            for (let u = 0; u < wide; u++, put++)
              weights[put] = values[apart ? (v * wide + u) * out + o : ((o * high + v) * wide + u) * into + i] ?? 0;
      if (byte(apart ? 4 : 3) !== 0 || (apart && (into !== 1 || option(3) !== 1)))
        throw refuse('a convolution of a kind that is not known here');
      initializers.push(tensor(name(from[1]), [out, into, high, wide], weights));
      initializers.push(tensor(name(from[2]), [out], constant(from[2]).values));
      nodes.push(
        node(
          'Conv',
          [x, name(from[1]), name(from[2])],
          [y],
          [
            ints('kernel_shape', [high, wide]),
            ints('strides', [option(2), option(1)]),
            text('auto_pad', byte(0) === 0 ? 'SAME_UPPER' : 'VALID'),
            int('group', apart ? out : 1),
          ],
        ),
      );
    } else if (code === TFLITE.relu) {
      const [size, least, times, sum] = operators.slice(at + 1, at + 5);
      const wanted = [TFLITE.absolute, TFLITE.minus, TFLITE.times, TFLITE.add];
      if (!size || !least || !times || !sum || [size, least, times, sum].some((one, i) => one.code !== wanted[i]))
        throw refuse('a relu that is no part of a PReLU');
      const slope = times.inputs.find((index) => tensors[index]?.values);
      const { values } = constant(slope);
      initializers.push(
        tensor(
          name(slope),
          [values.length, 1, 1],
          values.map((value) => 2 * value),
        ),
      );
      nodes.push(node('PRelu', [x, name(slope)], [name(sum.outputs[0])], []));
      at += 4;
    } else if (code === TFLITE.add) nodes.push(node('Add', [x, name(from[1])], [y], []));
    else if (code === TFLITE.reshape) nodes.push(node('Flatten', [x], [y], [int('axis', 1)]));
    else throw refuse(`operator ${code}, which is not known here`);
  }
  if (inputs.length !== 1 || outputs.length !== 1) throw refuse('not one input and one output');
  return { nodes, initializers, input: name(inputs[0]), output: name(outputs[0]) };
}

/** @param {string} operator @param {readonly string[]} inputs @param {readonly string[]} outputs @param {readonly Buffer[]} attributes */
const node = (operator, inputs, outputs, attributes) =>
  Buffer.concat([
    ...inputs.map((name) => bytesField(NODE.input, name)),
    ...outputs.map((name) => bytesField(NODE.output, name)),
    bytesField(NODE.operator, operator),
    ...attributes.map((one) => bytesField(NODE.attribute, one)),
  ]);

/** @param {string} name @param {number} value */
const int = (name, value) =>
  Buffer.concat([
    bytesField(ATTRIBUTE.name, name),
    numberField(ATTRIBUTE.int, value),
    numberField(ATTRIBUTE.type, INT),
  ]);

/** @param {string} name @param {readonly number[]} values */
const ints = (name, values) =>
  Buffer.concat([
    bytesField(ATTRIBUTE.name, name),
    ...values.map((value) => numberField(ATTRIBUTE.ints, value)),
    numberField(ATTRIBUTE.type, INTS),
  ]);

/** @param {string} name @param {string} value */
const text = (name, value) =>
  Buffer.concat([
    bytesField(ATTRIBUTE.name, name),
    bytesField(ATTRIBUTE.text, value),
    numberField(ATTRIBUTE.type, TEXT),
  ]);

/** @param {string} name @param {readonly number[]} dims @param {Float32Array} values */
const tensor = (name, dims, values) =>
  Buffer.concat([
    ...dims.map((dim) => numberField(TENSOR.dims, dim)),
    numberField(TENSOR.type, FLOAT),
    bytesField(TENSOR.name, name),
    bytesField(TENSOR.raw, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]);

/** @param {string} name @param {readonly number[] | null} dims */
function valueInfo(name, dims) {
  const shape = dims ? [bytesField(2, Buffer.concat(dims.map((dim) => bytesField(1, numberField(1, dim)))))] : [];
  return Buffer.concat([
    bytesField(1, name),
    bytesField(2, bytesField(1, Buffer.concat([numberField(1, FLOAT), ...shape]))),
  ]);
}
