import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LivenessCalibration, Observation } from '../../src-main/vision/observation.ts';
import { presentationRates, presentationsIn, verdictOn } from './presentation.ts';

const CALIBRATION = {
  passive: { liveMin: 0.5, attackMax: 0.1 },
  border: { strengthMin: 0.75, frameShareMin: 0.5 },
} as LivenessCalibration;

function frame(passive: number | null, border = 0): Observation {
  const faces = passive === null ? [] : [{ liveness: { passive, border } }];
  return { faces, chosen: passive === null ? null : 0 } as unknown as Observation;
}

test('one frame is judged by the passive model and the border', () => {
  expect(verdictOn([frame(0.5)], CALIBRATION)).toBe('live');
  expect(verdictOn([frame(0.3)], CALIBRATION)).toBe('undecided');
  expect(verdictOn([frame(0.1)], CALIBRATION)).toBe('attack');
  expect(verdictOn([frame(0.9, 0.75)], CALIBRATION)).toBe('attack');
  expect(verdictOn([frame(null)], CALIBRATION)).toBe('no-face');
});

test('folders name the kinds; an image is a presentation, a folder of images is one too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaopass-attacks-'));
  try {
    for (const name of ['live/a.jpg', 'live/b.jpg', 'replay/clip/2.jpg', 'replay/clip/1.jpg', 'mask/notes.txt']) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), '');
    }
    const found = await presentationsIn(folder);
    expect(
      found.map(({ kind, bonaFide, frames }) => [kind, bonaFide, frames.map((file) => file.slice(folder.length + 1))]),
    ).toEqual([
      ['live', true, ['live/a.jpg']],
      ['live', true, ['live/b.jpg']],
      ['replay', false, ['replay/clip/1.jpg', 'replay/clip/2.jpg']],
    ]);
    await expect(presentationsIn(join(folder, 'live'))).rejects.toThrow('no images in folders named live');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('rates are of those in which a face was found', () => {
  const print = { kind: 'print', bonaFide: false, frames: ['x'] };
  const live = { kind: 'live', bonaFide: true, frames: ['x'] };
  const rates = presentationRates([
    ...(['attack', 'live', 'no-face', 'undecided', 'attack'] as const).map((verdict) => ({
      presentation: print,
      verdict,
    })),
    ...(['live', 'attack'] as const).map((verdict) => ({ presentation: live, verdict })),
  ]);
  expect(rates).toMatchObject([
    { kind: 'live', presentations: 2, live: 1, attack: 1, rate: 0.5 },
    { kind: 'print', presentations: 5, live: 1, attack: 2, undecided: 1, noFace: 1, rate: 0.25 },
  ]);
});
