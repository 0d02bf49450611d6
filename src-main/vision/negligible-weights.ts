/**
 * Trained networks hold weights that decayed to almost nothing, 1e-30 and less. They change no result, but their products
 * are subnormal numbers, which processors compute up to a hundred times slower: with the default embedder a run takes 65 ms
 * instead of 10. The runtime's own remedy (session.set_denormal_as_zero) holds for the first thread of the process that
 * creates a session, not for a worker started later, so the weights themselves are set to 0 in memory, after the checksum.
 *
 * Walks the few fields of onnx.proto3 it needs: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.data_type = 2
 * (1 is float), float_data = 4, raw_data = 9 (little endian).
 */

/** Below this a weight counts as nothing: float32 keeps 7 digits, and activations do not reach 1e10. */
const NEGLIGIBLE = 1e-20;

const GRAPH = 7;
const INITIALIZER = 5;
const DATA_TYPE = 2;
const FLOAT_DATA = 4;
const RAW_DATA = 9;
const FLOAT = 1;

interface Field {
  readonly number: number;
  /** The value of a number field; 0 for others. */
  readonly value: number;
  /** Where a length-delimited field's content lies; empty for others. */
  readonly from: number;
  readonly to: number;
}

/** Changes `model` in place and returns how many weights were set to 0. Stops, changing no more, where it isn't a model. */
export function clearNegligibleWeights(model: Uint8Array): number {
  const view = new DataView(model.buffer, model.byteOffset, model.byteLength);
  let cleared = 0;
  for (const graph of fields(model, 0, model.length)) {
    if (graph.number !== GRAPH) continue;
    for (const tensor of fields(model, graph.from, graph.to)) {
      if (tensor.number !== INITIALIZER) continue;
      const parts = [...fields(model, tensor.from, tensor.to)];
      if (!parts.some((part) => part.number === DATA_TYPE && part.value === FLOAT)) continue;
      for (const part of parts) {
        if (part.number === RAW_DATA || part.number === FLOAT_DATA) cleared += clear(view, part.from, part.to);
      }
    }
  }
  return cleared;
}

function clear(view: DataView, from: number, to: number): number {
  let cleared = 0;
  for (let at = from; at + 4 <= to; at += 4) {
    const weight = Math.abs(view.getFloat32(at, true));
    if (weight === 0 || weight >= NEGLIGIBLE) continue;
    view.setFloat32(at, 0, true);
    cleared++;
  }
  return cleared;
}

/** The fields of one protobuf message; ends early at anything malformed. */
function* fields(bytes: Uint8Array, from: number, to: number): Generator<Field> {
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
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key & 7) {
      case 0:
        yield { number, value: varint(), from: at, to: at };
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (length < 0 || at + length > to) return;
        yield { number, value: 0, from: at, to: at + length };
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        return;
    }
  }
}
