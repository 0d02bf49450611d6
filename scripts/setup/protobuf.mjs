/** As much of Protocol Buffers' wire format as ONNX files need: fields one after the other, each a number or a run of bytes. */

export class ProtobufError extends Error {
  /** @override */
  name = 'ProtobufError';
}

/** @typedef {{ number: number, value: number, bytes: Buffer | null, whole: Buffer }} Field value of a number, bytes of the rest; whole: as it stands in the message */

/** @param {Buffer} message @returns {Field[]} */
export function fieldsOf(message) {
  /** @type {Field[]} */
  const fields = [];
  let at = 0;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw new ProtobufError('a message ends within a number');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const from = at;
    const key = number();
    const kind = key & 7;
    let value = 0;
    let bytes = null;
    if (kind === 0) value = number();
    else {
      const length = kind === 2 ? number() : kind === 5 ? 4 : kind === 1 ? 8 : -1;
      if (length < 0 || at + length > message.length) throw new ProtobufError('a message ends within a field');
      bytes = message.subarray(at, at + length);
      at += length;
    }
    fields.push({ number: Math.floor(key / 8), value, bytes, whole: message.subarray(from, at) });
  }
  return fields;
}

/** @param {number} value */
function varint(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** @param {number} number @param {number} value */
export const numberField = (number, value) => Buffer.concat([varint(8 * number), varint(value)]);

/** @param {number} number @param {Uint8Array | string} content */
export function bytesField(number, content) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varint(8 * number + 2), varint(bytes.length), bytes]);
}
