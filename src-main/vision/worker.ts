/**
 * The vision thread: onnxruntime runs on the thread that calls it, so it gets one of its own. Answers one look at a time,
 * in order, and gives each frame's memory back with the answer.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { EndRequest, LookRequest, WorkerAnswer, WorkerStart } from './messages.ts';
import type { Observation } from './observation.ts';
import { Pipeline } from './pipeline.ts';
import { rasterOf } from './resample.ts';

const port = parentPort;
if (!port) throw new Error('vision/worker is started by vision.ts as a worker thread');

const answer = (message: WorkerAnswer, handedOver: ArrayBuffer[] = []): void => port.postMessage(message, handedOver);

try {
  const pipeline = await Pipeline.open({ ...(workerData as WorkerStart), clock: systemClock });
  let turn = Promise.resolve();
  port.on('message', (request: LookRequest | EndRequest) => {
    turn = turn.then(() => (request.kind === 'end' ? end(pipeline) : look(pipeline, request)));
  });
  answer({ kind: 'ready' });
} catch (error) {
  const known = error instanceof TerminalError;
  answer({ kind: 'refused', code: known ? error.code : 'VISION_FAILED', message: sentence(error) });
  port.close();
}

/** With the port closed nothing keeps the thread alive, and it ends by itself. */
async function end(pipeline: Pipeline): Promise<void> {
  await pipeline.close();
  port?.close();
}

async function look(pipeline: Pipeline, request: LookRequest): Promise<void> {
  const { id, width, height, sequence, capturedAtMs, embedding, before, pixels } = request;
  try {
    const raster = rasterOf(width, height, new Uint8Array(pixels));
    const observation = await pipeline.look({ width, height, sequence, capturedAtMs, raster, embedding, before });
    answer({ kind: 'observation', id, observation, pixels }, [pixels, ...buffersOf(observation)]);
  } catch (error) {
    answer({ kind: 'failed', id, message: sentence(error), pixels }, [pixels]);
  }
}

/** The arrays of an observation, moved rather than copied. */
function buffersOf(observation: Observation): ArrayBuffer[] {
  const arrays = observation.faces.flatMap((face) => [
    face.landmarks,
    face.embedding,
    face.embeddingBefore,
    face.liveness?.patch,
    face.liveness?.cellMeans,
    face.liveness?.points,
  ]);
  return arrays.filter((array) => array != null).map((array) => array.buffer as ArrayBuffer);
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
