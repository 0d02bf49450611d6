/**
 * From one protecting matrix to another. What it takes grows in about a second for 512 dimensions, in pieces between which the bank
 * answers others, and is kept for as long as both seeds are.
 */
import { createCipheriv } from 'node:crypto';
import {
  changeOf,
  inPieces,
  KEY_STREAM,
  keyStreamBytes,
  orthogonalMatrix,
  type Pieces,
  turned,
  turnedBack,
} from '../../src-contract/protection.ts';
import type { Clock } from '../clock.ts';
import type { LiveGeneration } from './generations.ts';

/** Two megabytes each for 512 dimensions. More than there are for one model and a few changes that some terminal sleeps through. */
const KEPT_MAX = 8;
const FLOAT_BYTES = 4;

export interface Matrices {
  /** A template's bytes (float32, little endian) under one matrix as they are under another. */
  converter(
    from: LiveGeneration,
    to: LiveGeneration,
    dimensions: number,
  ): Promise<(template: Uint8Array) => Uint8Array>;
  /** Overwrites whatever comes of a matrix that is not among these. */
  keepOnly(live: readonly LiveGeneration[]): void;
}

interface Kept {
  readonly versions: readonly string[];
  readonly matrix: Promise<Float64Array>;
}

export function createMatrices(clock: Clock): Matrices {
  const kept = new Map<string, Kept>();
  const destroy = (name: string, { matrix }: Kept) => {
    kept.delete(name);
    void matrix.then(
      (values) => values.fill(0),
      () => undefined,
    );
  };

  /** Always from the older to the newer: the way back is its transpose. */
  const changeFrom = (older: LiveGeneration, newer: LiveGeneration, dimensions: number): Promise<Float64Array> => {
    const name = `${older.version} ${newer.version} ${dimensions}`;
    const known = kept.get(name);
    if (known) return known.matrix;
    const matrix = inPieces(growChange(older.seed, newer.seed, dimensions), () => clock.sleep(0));
    kept.set(name, { versions: [older.version, newer.version], matrix });
    matrix.catch(() => kept.delete(name));
    // Not overwritten: somebody may be at work with it. The seeds are there still.
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value ?? name);
    return matrix;
  };

  return {
    converter: async (from, to, dimensions) => {
      if (from.number === to.number) return (template) => template;
      const forward = from.number < to.number;
      const matrix = await changeFrom(forward ? from : to, forward ? to : from, dimensions);
      const turn = forward ? turned : turnedBack;
      return (template) => {
        if (template.length !== dimensions * FLOAT_BYTES)
          throw new Error(`a template of ${template.length} bytes where ${dimensions} float32 were expected`);
        return new Uint8Array(turn(matrix, new Float32Array(new Uint8Array(template).buffer)).buffer);
      };
    },
    keepOnly: (live) => {
      const versions = new Set(live.map(({ version }) => version));
      for (const [name, one] of kept) if (!one.versions.every((version) => versions.has(version))) destroy(name, one);
    },
  };
}

function* growChange(from: Uint8Array, to: Uint8Array, dimensions: number): Pieces<Float64Array> {
  const grow = (seed: Uint8Array) => {
    const cipher = createCipheriv(KEY_STREAM, seed, new Uint8Array(16));
    return orthogonalMatrix(cipher.update(new Uint8Array(keyStreamBytes(dimensions))), dimensions);
  };
  const old = yield* grow(from);
  const next = yield* grow(to);
  const change = yield* changeOf(old, next, dimensions);
  old.fill(0);
  next.fill(0);
  return change;
}
