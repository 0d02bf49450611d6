/**
 * How often people who move as they like are taken for people who do as they are asked, and whether who makes a movement passes: the
 * demonstration's clips, each moment of them at rest asked for each movement. Prints the figures of docs/threat-model.md:
 * `node tests/attacks/movements.ts`.
 */
import { join } from 'node:path';
import { ROOT } from '../../scripts/demo/processes.ts';
import { atRest, judgeMovement, MOVEMENT_MS_MAX, type Movement } from '../../src-main/challenge/movement.ts';
import { restOf, type Signals, signalsOf } from '../../src-main/challenge/signals.ts';
import { systemClock } from '../../src-main/clock.ts';
import { checkoutInstallation } from '../../src-main/places.ts';
import { loadManifests } from '../../src-main/vision/manifest.ts';
import { Pipeline } from '../../src-main/vision/pipeline.ts';
import { CLIPS, type ClipName, openClips } from './clips.ts';
import { FPS } from './kinds.ts';
import { lookAt } from './present.ts';
import { rgbaOf } from './subjects.ts';

const MOVEMENTS: readonly Movement[] = ['turn-left', 'turn-right', 'nod', 'blink', 'mouth'];
/** Of each clip, s. */
const SECONDS = 28;
/** Half a second at rest comes before anything is asked (src-main/challenge/run.ts). */
const RESTING_FRAMES = Math.ceil(FPS / 2);
const ASKED_FRAMES = Math.ceil((MOVEMENT_MS_MAX / 1000) * FPS) + RESTING_FRAMES;
/** When somebody in a clip makes a movement clearly, and is at rest before: from where on it is asked for, s. */
const MADE: readonly (readonly [ClipName, Movement, fromS: number, toS: number])[] = [
  ['cap12_edit.webm', 'mouth', 8.8, 10.8],
  ['cap12_edit.webm', 'turn-right', 18.6, 19.2],
  ['cap13_edit2.webm', 'turn-left', 18.5, 19.6],
  ['franck.webm', 'blink', 7, 8.4],
  ['cap12_edit.webm', 'nod', 2.8, 3.6],
];

type Frames = readonly { readonly atMs: number; readonly signals: Signals | null }[];

const manifests = await loadManifests(join(ROOT, 'models'));
const { footageDir, weightsDir } = checkoutInstallation(ROOT);
const pipeline = await Pipeline.open({ manifests, weightsDir, threads: 2, clock: systemClock });
const clips = await openClips(join(ROOT, '.cache', 'evaluation', 'clips'), footageDir ?? '', {
  onProgress: (clip) => process.stderr.write(`taking the frames of ${clip}\n`),
});
const filmed = new Map<ClipName, Frames>();
for (const clip of CLIPS) {
  process.stderr.write(`looking at ${clip}\n`);
  const frames = [];
  for (let i = 0; i < Math.min(SECONDS * FPS, clips.length(clip)); i++) {
    const observation = await lookAt(pipeline, rgbaOf(await clips.frame(clip, i)), i, false);
    frames.push({ atMs: observation.capturedAtMs, signals: signalsOf(observation) });
  }
  filmed.set(clip, frames);
}
await pipeline.close();

/** Asks at every moment before which the man was at rest, and counts how often that passes. */
function ask(clip: ClipName, movement: Movement, fromS = 0, toS = SECONDS): { asked: number; passed: number } {
  const frames = filmed.get(clip)!;
  let asked = 0;
  let passed = 0;
  for (let i = RESTING_FRAMES; i + ASKED_FRAMES <= frames.length; i++) {
    if (frames[i]!.atMs < fromS * 1000 || frames[i]!.atMs > toS * 1000) continue;
    const before = frames.slice(i - RESTING_FRAMES, i).flatMap(({ signals }) => signals ?? []);
    const rest = restOf(before);
    if (before.length < RESTING_FRAMES || !before.every((signals) => atRest(signals, rest))) continue;
    asked += 1;
    const verdict = judgeMovement(movement, frames.slice(i, i + ASKED_FRAMES), rest, frames[i - 1]!.atMs);
    if (verdict.is === 'passed') passed += 1;
  }
  return { asked, passed };
}

const row = (what: string, { asked, passed }: { asked: number; passed: number }) =>
  console.log(
    `${what.padEnd(46)}${String(passed).padStart(6)} of ${asked} passed (${((100 * passed) / asked).toFixed(1)} %)`,
  );
console.log('Movements that are made, asked for just before');
for (const [clip, movement, fromS, toS] of MADE) row(`  ${movement}, ${clip}`, ask(clip, movement, fromS, toS));
console.log('The clips as recordings, asked for anything at any moment at rest');
const all = { asked: 0, passed: 0 };
for (const movement of MOVEMENTS) {
  const of = { asked: 0, passed: 0 };
  for (const clip of CLIPS) {
    const { asked, passed } = ask(clip, movement);
    of.asked += asked;
    of.passed += passed;
  }
  row(`  ${movement}`, of);
  all.asked += of.asked;
  all.passed += of.passed;
}
row('  all', all);
