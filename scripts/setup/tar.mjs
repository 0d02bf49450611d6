/**
 * Reads a tar archive held in memory: ustar (POSIX.1-1988) with pax extended headers (POSIX.1-2001) and GNU long names, which
 * is what registries serve. Only regular files are given out; a name that would leave the folder is refused rather than skipped,
 * because an archive that carries one is not the archive we asked for.
 */

const BLOCK_BYTES = 512;

export class TarError extends Error {
  /** @override */
  name = 'TarError';
}

/** @param {Uint8Array} bytes @param {number} start @param {number} length */
function text(bytes, start, length) {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

/** Octal digits, or GNU's base-256 for what octal cannot hold. @param {Uint8Array} header @param {number} start @param {number} length */
function number(header, start, length) {
  if ((header[start] ?? 0) & 0x80) throw new TarError('tar: a size in base 256 is larger than anything fetched here');
  const digits = text(header, start, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarError(`tar: "${digits}" is not an octal number`);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** POSIX.1-1988: the sum of the header's bytes with the checksum field itself read as spaces. @param {Uint8Array} header */
function checkHeader(header) {
  let sum = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) sum += i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0);
  if (sum !== number(header, 148, 8)) throw new TarError('tar: a header does not match its checksum');
}

/** @typedef {{ path?: string, size?: string, [other: string]: string | undefined }} PaxRecords */

/** Records "length key=value\n" of a pax header. @param {Uint8Array} body @returns {PaxRecords} */
function paxRecords(body) {
  /** @type {PaxRecords} */
  const records = {};
  let rest = body;
  while (rest.length > 0) {
    const space = rest.indexOf(0x20);
    const length = Number.parseInt(new TextDecoder().decode(rest.subarray(0, space)), 10);
    if (space < 1 || !(length > space) || length > rest.length)
      throw new TarError('tar: a pax record has no valid length');
    const [key = '', ...value] = new TextDecoder().decode(rest.subarray(space + 1, length - 1)).split('=');
    records[key] = value.join('=');
    rest = rest.subarray(length);
  }
  return records;
}

/** @param {string} name */
function checkName(name) {
  const surprising =
    name.startsWith('/') || /^[A-Za-z]:/.test(name) || /[\\\0]/.test(name) || name.split('/').includes('..');
  if (surprising || name === '') throw new TarError(`tar: the name "${name}" leaves its folder`);
}

/**
 * Every regular file, in order. `body` shares the archive's memory.
 * @param {Uint8Array} archive
 * @returns {Generator<{ name: string, body: Uint8Array, executable: boolean }>}
 */
export function* readTar(archive) {
  /** @type {PaxRecords} */
  let pax = {};
  /** @type {string | undefined} */
  let longName;
  let at = 0;
  while (at + BLOCK_BYTES <= archive.length) {
    const header = archive.subarray(at, at + BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return;
    checkHeader(header);
    const size = pax.size === undefined ? number(header, 124, 12) : Number(pax.size);
    if (!Number.isSafeInteger(size) || size < 0) throw new TarError(`tar: "${pax.size}" is not a size`);
    const start = at + BLOCK_BYTES;
    if (start + size > archive.length) throw new TarError('tar: the archive ends inside a file');
    const body = archive.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;

    const type = text(header, 156, 1) || '0';
    if (type === 'x') pax = paxRecords(body);
    else if (type === 'L') longName = text(body, 0, body.length);
    else if (type !== 'g') {
      const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
      const short = text(header, 0, 100);
      const name = pax.path ?? longName ?? (prefix ? `${prefix}/${short}` : short);
      checkName(name);
      pax = {};
      longName = undefined;
      if (type === '0' || type === '7') yield { name, body, executable: (number(header, 100, 8) & 0o100) !== 0 };
    }
  }
  throw new TarError('tar: the archive has no end');
}
