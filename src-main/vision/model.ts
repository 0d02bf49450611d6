/** One loaded model: the runtime's session, and the input tensor that is filled anew for each run. */
import { createRequire } from 'node:module';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { TerminalError } from '../errors.ts';
import { inBlocks } from './blocked-layout.ts';
import type { InputSpec, ModelManifest } from './manifest.ts';
import { channelCount, weightsFile } from './manifest.ts';
import { clearNegligibleWeights } from './negligible-weights.ts';
import { readWeights } from './weights.ts';

// onnxruntime-node is CommonJS with a lazily defined export that named ES imports do not see.
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node');

/** Threads within one operator; the graph itself runs in sequence (one frame at a time, two cores). */
export function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Each model has threads of its own, which go on waiting busily after a run, on the core that the next model needs.
    extra: { session: { force_spinning_stop: '1' } },
    logSeverityLevel: 3,
  };
}

export class Model {
  readonly spec: InputSpec;
  /** Where the caller writes the input: batch × channels × height × width. */
  readonly input: Float32Array;
  readonly #tensor: Tensor;
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession, spec: InputSpec, batch: number) {
    this.#session = session;
    this.spec = spec;
    const channels = channelCount(spec.channels);
    this.input = new Float32Array(batch * channels * spec.height * spec.width);
    this.#tensor = new ort.Tensor('float32', this.input, [batch, channels, spec.height, spec.width]);
  }

  /** Throws MODEL_MISSING, MODEL_ALTERED, or MODEL_MANIFEST_INVALID when the graph lacks a tensor the manifest names. */
  static async open(weightsDir: string, manifest: ModelManifest, threads: number, batch = 1): Promise<Model> {
    const bytes = await readWeights(weightsDir, manifest);
    clearNegligibleWeights(bytes);
    let session: InferenceSession;
    try {
      session = await ort.InferenceSession.create(inBlocks(bytes), sessionOptions(threads));
    } catch (cause) {
      throw new TerminalError('MODEL_ALTERED', `model weights ${weightsFile(manifest)}: not a model that can run`, {
        cause,
      });
    }
    const refuse = (field: string, name: string) =>
      new TerminalError(
        'MODEL_MANIFEST_INVALID',
        `model manifest ${manifest.role}.json: ${field}: no tensor "${name}"`,
      );
    if (!session.inputNames.includes(manifest.input.tensor)) throw refuse('input.tensor', manifest.input.tensor);
    for (const [key, name] of Object.entries(manifest.outputs)) {
      if (!session.outputNames.includes(name)) throw refuse(`outputs.${key}`, name);
    }
    return new Model(session, manifest.input, batch);
  }

  /** Runs on what `input` holds now. */
  async run(): Promise<Record<string, Float32Array>> {
    const outputs = await this.#session.run({ [this.spec.tensor]: this.#tensor });
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.data as Float32Array]));
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
