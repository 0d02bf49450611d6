/**
 * Vision, from the main thread: a worker that looks at one frame at a time.
 *
 * Survives: a worker that throws, exits, or stops answering (it is given up and a new one started, a bounded number of times in
 * a row). Refuses to start with a missing or altered model. Aborting a look frees the caller at once; the worker finishes
 * that frame first, and the next look waits for it.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FRAME_SIDE_PX_MAX, FRAME_SIDE_PX_MIN, type Frame } from '../../src-contract/frame.ts';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { type EmbedderManifest, embedderId, loadManifests, type Manifests, ROLES } from './manifest.ts';
import type { EndRequest, LookRequest, WorkerAnswer, WorkerStart } from './messages.ts';
import type { Embedder, Observation, Vision, Wants } from './observation.ts';

/** Longest time for loading all models, ms: half a second here, far more from a cold disk. */
const START_TIMEOUT_MS = 30_000;
/** Longest time for one frame, ms: a hundred times a slow machine's need; beyond it the worker hangs. */
const LOOK_TIMEOUT_MS = 15_000;
/** How long a worker may take to end once it was asked to, ms: it finishes the frame it has first. One that hangs is left
 *  behind, because ending it by force is not safe: onnxruntime-node 1.30 throws from a native call whose thread is being
 *  terminated, and takes the whole process with it. */
const END_TIMEOUT_MS = 5_000;
/** Workers that may die in a row, none of them having finished a look, before vision gives up for good. */
const FAILURES_MAX = 5;

export interface VisionOptions {
  /** Folder of the manifests. */
  readonly modelsDir: string;
  /** Folder of the weights, each under its own file name. */
  readonly weightsDir: string;
  /** Threads within one model; 1 unless told. The models are small: a second thread makes a frame a sixth faster on an idle machine, of half
   *  as much processor time again, and two thirds slower where the screen wants its core. */
  readonly threads?: number;
  readonly clock: Clock;
}

/** Throws TerminalError MODEL_MISSING, MODEL_ALTERED or MODEL_MANIFEST_INVALID, naming the file; VISION_FAILED. */
export async function startVision(options: VisionOptions): Promise<WorkerVision> {
  const manifests = await loadManifests(options.modelsDir);
  const vision = new WorkerVision(manifests, options);
  await vision.start();
  return vision;
}

interface Pending {
  readonly id: number;
  readonly resolve: (observation: Observation) => void;
  readonly reject: (error: unknown) => void;
}

/** The worker and the look it is busy with. */
interface Running {
  readonly worker: Worker;
  pending: Pending | null;
}

export class WorkerVision implements Vision {
  readonly models: Vision['models'];
  readonly embedder: Vision['embedder'];
  readonly embedderBefore: Vision['embedderBefore'];
  readonly liveness: Vision['liveness'];
  readonly #start: WorkerStart;
  readonly #clock: Clock;
  #running: Promise<Running> | null = null;
  /** Settles when the worker is done with the frame it has, whether anybody still waits for it or not. */
  #busy: Promise<unknown> = Promise.resolve();
  #looking = false;
  #closed = false;
  #failures = 0;
  #nextId = 1;
  #spare: ArrayBuffer | null = null;

  constructor(manifests: Manifests, options: VisionOptions) {
    const { embedderBefore } = manifests;
    this.models = [
      ...ROLES.map((role) => ({ role, sha256: manifests[role].sha256 })),
      ...(embedderBefore ? [{ role: 'embedder-before', sha256: embedderBefore.sha256 }] : []),
    ];
    this.embedder = embedderOf(manifests.embedder);
    this.embedderBefore = embedderBefore && embedderOf(embedderBefore);
    this.liveness = manifests.liveness.calibration;
    this.#start = { manifests, weightsDir: options.weightsDir, threads: options.threads ?? 1 };
    this.#clock = options.clock;
  }

  /** Loads the models; the first look would do it too, but the terminal wants to know at once. */
  async start(): Promise<void> {
    await this.#worker();
  }

  async observe(frame: Frame, signal: AbortSignal, wants: Wants = {}): Promise<Observation> {
    checkFrame(frame);
    signal.throwIfAborted();
    if (this.#looking) throw failed('asked to look at a frame while still looking at another');
    this.#looking = true;
    try {
      await abortable(this.#busy, signal);
      const running = await abortable(this.#worker(), signal);
      const look = this.#look(running, frame, wants);
      this.#busy = look.catch(() => undefined);
      return await abortable(look, signal);
    } finally {
      this.#looking = false;
    }
  }

  /** Ends the worker after the frame it has; the next look starts a new one. For a technician who suspects it. */
  async endWorker(): Promise<void> {
    const running = await this.#running?.catch(() => null);
    if (running) await this.#end(running.worker);
  }

  /** Ends the worker for good, after the frame it has. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.endWorker();
  }

  /** Asks the worker to end and waits until it has, or is left behind. */
  #end(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      if (worker.threadId === -1) return resolve(); // Node's own sign of a thread that is gone.
      const callOff = this.#clock.after(END_TIMEOUT_MS, () => {
        worker.unref();
        resolve();
      });
      worker.once('exit', () => {
        callOff();
        resolve();
      });
      const request: EndRequest = { kind: 'end' };
      worker.postMessage(request);
    });
  }

  #look(running: Running, frame: Frame, { embedding = true, before = false }: Wants): Promise<Observation> {
    const { width, height, sequence, capturedAtMs } = frame;
    const id = this.#nextId++;
    const pixels = this.#copyOf(frame.pixels);
    const wants = { embedding, before };
    const request: LookRequest = { kind: 'look', id, width, height, sequence, capturedAtMs, ...wants, pixels };
    return new Promise<Observation>((resolve, reject) => {
      const callOff = this.#clock.after(LOOK_TIMEOUT_MS, () => {
        this.#lost(running, `no answer within ${LOOK_TIMEOUT_MS} ms`);
      });
      running.pending = {
        id,
        resolve: (observation) => {
          callOff();
          this.#failures = 0;
          resolve(observation);
        },
        reject: (error) => {
          callOff();
          reject(error);
        },
      };
      running.worker.postMessage(request, [pixels]);
    });
  }

  /** Into memory of our own, reused from look to look: the caller's buffer may be part of something larger. */
  #copyOf(pixels: Uint8Array): ArrayBuffer {
    const spare = this.#spare?.byteLength === pixels.length ? this.#spare : new ArrayBuffer(pixels.length);
    this.#spare = null;
    new Uint8Array(spare).set(pixels);
    return spare;
  }

  #worker(): Promise<Running> {
    if (this.#closed) return Promise.reject(failed('it was closed'));
    if (this.#failures >= FAILURES_MAX) {
      return Promise.reject(failed(`its worker died ${FAILURES_MAX} times in a row`));
    }
    this.#running ??= this.#open().catch((error: unknown) => {
      this.#running = null;
      this.#failures++;
      throw error;
    });
    return this.#running;
  }

  #open(): Promise<Running> {
    const path = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(path, { workerData: this.#start, name: 'kaopass-vision', execArgv: [], stdin: false });
    const running: Running = { worker, pending: null };
    return new Promise<Running>((resolve, reject) => {
      const giveUp = (error: TerminalError) => {
        callOff();
        void this.#end(worker);
        reject(error);
      };
      const callOff = this.#clock.after(START_TIMEOUT_MS, () => {
        giveUp(failed(`its models were not loaded within ${START_TIMEOUT_MS} ms`));
      });
      worker.on('message', (message: WorkerAnswer) => {
        if (message.kind === 'ready') {
          callOff();
          resolve(running);
        } else if (message.kind === 'refused') {
          giveUp(new TerminalError(message.code, message.message));
        } else {
          this.#spare = message.pixels;
          const { pending } = running;
          if (pending?.id !== message.id) return;
          running.pending = null;
          if (message.kind === 'observation') pending.resolve(message.observation);
          else pending.reject(failed(message.message));
        }
      });
      worker.on('error', (cause) => {
        giveUp(failed('its worker failed', cause));
        this.#lost(running, 'its worker failed', cause);
      });
      worker.on('exit', (code) => {
        giveUp(failed(`its worker ended with code ${code}`));
        this.#lost(running, `its worker ended with code ${code}`);
      });
    });
  }

  /** Gives this worker up: whoever waits learns why, and the next look starts a new one. Repeated news changes nothing. */
  #lost(running: Running, why: string, cause?: unknown): void {
    const { pending } = running;
    running.pending = null;
    const current = this.#running;
    current?.then(
      (now) => {
        if (now === running && this.#running === current) {
          this.#running = null;
          this.#failures++;
        }
      },
      () => undefined,
    );
    void this.#end(running.worker);
    pending?.reject(failed(why, cause));
  }
}

function embedderOf(manifest: EmbedderManifest): Embedder {
  const { decode, calibration } = manifest;
  return { modelSha256: embedderId(manifest), dimensions: decode.dimensions, calibration };
}

function failed(why: string, cause?: unknown): TerminalError {
  return new TerminalError('VISION_FAILED', `vision: ${why}`, { cause });
}

function checkFrame(frame: Frame): void {
  for (const name of ['width', 'height'] as const) {
    const side = frame[name];
    if (!Number.isInteger(side) || side < FRAME_SIDE_PX_MIN || side > FRAME_SIDE_PX_MAX) {
      throw new TerminalError(
        'FRAME_INVALID',
        `frame: ${name} ${side} is outside ${FRAME_SIDE_PX_MIN}…${FRAME_SIDE_PX_MAX} pixels`,
      );
    }
  }
  const expected = frame.width * frame.height * 4;
  if (frame.pixels.length !== expected) {
    throw new TerminalError(
      'FRAME_INVALID',
      `frame: ${frame.width}×${frame.height} needs ${expected} bytes of pixels, got ${frame.pixels.length}`,
    );
  }
}

/** The promise, or the signal's reason if that comes first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
