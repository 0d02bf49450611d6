/** Presentations, looked at and judged one after the other; verdicts are kept as templates are. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { LivenessCalibration, Observation } from '../../src-main/vision/observation.ts';
import { type Cache, digestOf } from './cache.ts';
import { type Picture, pictureOf } from './frame.ts';
import { type Presentation, type Verdict, verdictOn } from './presentation.ts';

const Kept = z.strictObject({ verdict: z.enum(['live', 'attack', 'undecided', 'no-face']) });

export interface Judging {
  readonly pipelineDigest: string;
  readonly calibration: LivenessCalibration;
  /** At which the frames of a sequence were taken. */
  readonly framesPerSecond: number;
  readonly cache: Cache;
  /** The face a terminal would choose; nothing is embedded. */
  readonly look: (picture: Picture, capturedAtMs: number) => Promise<Observation>;
  readonly onProgress: (done: number) => void;
}

export async function judgeAll(presentations: readonly Presentation[], options: Judging) {
  const { pipelineDigest, calibration, framesPerSecond, cache, look, onProgress } = options;
  const judged: { presentation: Presentation; verdict: Verdict }[] = [];
  const settings = JSON.stringify([calibration, framesPerSecond]);
  for (const presentation of presentations) {
    // Frame by frame, twice if need be: a sequence is not held in memory.
    const digests: string[] = [];
    for (const file of presentation.frames) digests.push(digestOf(await bytesOf(file)));
    const key = digestOf('presentation', pipelineDigest, settings, ...digests);
    const kept = Kept.safeParse(cache.find(key)?.answer);
    let verdict = kept.success ? kept.data.verdict : null;
    if (verdict === null) {
      const observations: Observation[] = [];
      for (const [i, file] of presentation.frames.entries()) {
        const picture = await pictureOf(await bytesOf(file), 'bare');
        if (picture) observations.push(await look(picture, (i * 1000) / framesPerSecond));
      }
      verdict = verdictOn(observations, calibration);
      cache.keep(key, { verdict }, null);
    }
    judged.push({ presentation, verdict });
    onProgress(judged.length);
  }
  return judged;
}

const bytesOf = (file: string): Promise<Uint8Array> => readFile(file).catch(() => new Uint8Array(0));
