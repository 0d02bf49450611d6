/** Weights on disk: read once, checked against the manifest, and only those very bytes given to the runtime. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../errors.ts';
import type { ModelManifest } from './manifest.ts';
import { weightsFile } from './manifest.ts';

/** Throws MODEL_MISSING or MODEL_ALTERED, naming the file. */
export async function readWeights(
  weightsDir: string,
  manifest: Pick<ModelManifest, 'role' | 'source' | 'sha256' | 'bytes'>,
): Promise<Uint8Array> {
  const file = weightsFile(manifest);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(weightsDir, file));
  } catch (cause) {
    throw new TerminalError('MODEL_MISSING', `model weights ${file} (${manifest.role}) cannot be read`, { cause });
  }
  if (bytes.length !== manifest.bytes) {
    throw new TerminalError(
      'MODEL_ALTERED',
      `model weights ${file} (${manifest.role}): ${bytes.length} bytes, the manifest says ${manifest.bytes}`,
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== manifest.sha256) {
    throw new TerminalError(
      'MODEL_ALTERED',
      `model weights ${file} (${manifest.role}): checksum ${sha256.slice(0, 12)}… is not the manifest's ${manifest.sha256.slice(0, 12)}…`,
    );
  }
  return bytes;
}
