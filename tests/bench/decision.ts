/**
 * How long a person at a gate waits: from the first frame that has their face to the decision. The recorded clip of one day
 * enrols the man, that of another day walks up to the camera, again and again from another moment, at a camera's rate and
 * with the newest frame winning, through the vision worker, the liveness weighing and the search, as a terminal does it.
 */
import { createSecretKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DEFAULT_POLICY } from '../../src-bank/policy.ts';
import type { Frame } from '../../src-contract/frame.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { singleFmr } from '../../src-main/gallery/fmr.ts';
import { fuse } from '../../src-main/gallery/fusion.ts';
import { facesFrom } from '../../src-main/gallery/gallery.fixture.ts';
import { type Gallery, openGallery } from '../../src-main/gallery/gallery.ts';
import { dot } from '../../src-main/gallery/search.ts';
import { type GatherRules, gather, type Judgement, judge, NOTHING_GATHERED } from '../../src-main/session/gather.ts';
import { weighLiveness } from '../../src-main/vision/presentation-attack.ts';
import { startVision, type WorkerVision } from '../../src-main/vision/vision.ts';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from '../../src-renderer/camera/frame-size.ts';
import { CLIP_FPS, pixelsOf, recordFootage } from '../crash/footage.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FRAME_MS = 1_000 / CLIP_FPS;
const LOOKS = 20;
/** Frames by which each look begins later in the clip; what is left is longer than any look. */
const LATER = 2;
/** As many as are known besides at a small site. With the face alone the default policy allows no more than some dozens, because the
 *  calibration of the shipped model claims nothing below its floor. */
const STRANGERS = 50;
const RATES = { maxFmr: DEFAULT_POLICY.services.purchase.maxFmr, lookAlikeFmr: DEFAULT_POLICY.lookAlikeFmr };
/** As the terminal takes it: see SAME_PERSON_FMR_MAX in terminal.ts. */
const SAME_PERSON_FMR = 1e-3;

export interface DecisionBench {
  readonly looks: number;
  readonly accepted: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Median part of it that is not the time a look must last, ms: vision's last frame, weighing, fusion and search. */
  readonly lastStepMs: number;
}

export async function benchDecision(): Promise<DecisionBench> {
  const footage = await recordFootage();
  const vision = await startVision({
    modelsDir: join(ROOT, 'models'),
    weightsDir: join(ROOT, '.cache', 'models'),
    threads: 1,
    clock: systemClock,
  });
  const directory = mkdtempSync(join(tmpdir(), 'kaopass-bench-'));
  try {
    const { modelSha256, dimensions, calibration } = vision.embedder;
    const gallery = openGallery({
      path: join(directory, 'gallery.sqlite'),
      dataKey: createSecretKey(systemChance.bytes(32)),
      protectionSeed: systemChance.bytes(32),
      protectionVersion: 'bench',
      ...{ modelSha256, dimensions, calibration, chance: systemChance },
    });
    const rules: GatherRules = {
      weighLiveness: (frames) => weighLiveness(frames, vision.liveness),
      samePerson: (a, b) => singleFmr(calibration, dot(a, b)) <= SAME_PERSON_FMR,
    };
    const enrolment = await Promise.all(footage['cap12_edit.webm'].map(pixelsOf));
    const visit = await Promise.all(footage['cap13_edit2.webm'].map(pixelsOf));
    const enrolled = await lookAt(vision, rules, enrolment);
    if (enrolled.judgement.kind !== 'ready') throw new Error('the clip that enrols led to no template');
    const faces = facesFrom(3, dimensions);
    for (let n = 0; n < STRANGERS; n++) {
      gallery.put(systemChance.id(), gallery.protectedTemplate(faces.next()), null);
    }
    gallery.put(systemChance.id(), gallery.protectedTemplate(fuse(enrolled.judgement.embeddings)), null);
    const results: { ms: number; lastMs: number; accepted: boolean }[] = [];
    for (let look = 0; look < LOOKS; look++) {
      results.push(await decided(gallery, await lookAt(vision, rules, visit.slice(look * LATER))));
    }
    gallery.close();
    const sorted = (values: number[]) => values.sort((a, b) => a - b);
    const times = sorted(results.map(({ ms }) => ms));
    return {
      looks: LOOKS,
      accepted: results.filter(({ accepted }) => accepted).length,
      p50Ms: times[Math.floor(LOOKS / 2)]!,
      p95Ms: times[Math.ceil(LOOKS * 0.95) - 1]!,
      lastStepMs: sorted(results.map(({ lastMs }) => lastMs))[Math.floor(LOOKS / 2)]!,
    };
  } finally {
    await vision.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Looked {
  readonly judgement: Judgement;
  /** When the first frame with a face was captured, and the last one that was looked at; monotonic ms. */
  readonly faceMs: number;
  readonly lastFrameMs: number;
}

/** Plays the frames in their time, until they lead to something. */
async function lookAt(vision: WorkerVision, rules: GatherRules, frames: readonly Uint8Array[]): Promise<Looked> {
  const signal = new AbortController().signal;
  const startMs = systemClock.monotonicMs();
  let gathered = NOTHING_GATHERED;
  let faceMs: number | null = null;
  for (let next = 0; next < frames.length; ) {
    const waitMs = startMs + next * FRAME_MS - systemClock.monotonicMs();
    if (waitMs > 0) await systemClock.sleep(waitMs, signal);
    // The newest there is: what came while the last one was looked at is passed over.
    const at = Math.min(frames.length - 1, Math.floor((systemClock.monotonicMs() - startMs) / FRAME_MS));
    const capturedAtMs = startMs + at * FRAME_MS;
    next = at + 1;
    const pixels = frames[at]!.slice();
    const frame: Frame = { width: FRAME_WIDTH_PX, height: FRAME_HEIGHT_PX, sequence: at, capturedAtMs, pixels };
    const observation = await vision.observe(frame, signal);
    if (observation.chosen !== null) faceMs ??= capturedAtMs;
    gathered = gather(gathered, observation, rules);
    const judgement = judge(gathered, observation, rules);
    if (judgement.kind !== 'gathering') return { judgement, faceMs: faceMs ?? capturedAtMs, lastFrameMs: capturedAtMs };
  }
  throw new Error('a clip ended before it led to anything');
}

async function decided(gallery: Gallery, { judgement, faceMs, lastFrameMs }: Looked) {
  const found = judgement.kind === 'ready' ? gallery.identify(fuse(judgement.embeddings), RATES) : null;
  const nowMs = systemClock.monotonicMs();
  return { ms: nowMs - faceMs, lastMs: nowMs - lastFrameMs, accepted: found?.outcome === 'match' };
}

export function decisionInWords({ looks, accepted, p50Ms, p95Ms, lastStepMs }: DecisionBench): string {
  const ms = (value: number) => `${value.toFixed(0)} ms`.padStart(8);
  return `
face in view → decision, from recorded footage at ${CLIP_FPS} frames a second (${accepted} of ${looks} looks accepted, as all should be)
  half of the looks within  ${ms(p50Ms)}
  95 % within               ${ms(p95Ms)}
  of that after the last frame was taken  ${ms(lastStepMs)}   the rest is the time a look must last, to tell a person from a picture`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(decisionInWords(await benchDecision()));
