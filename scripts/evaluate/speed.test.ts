import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addFigures, type BenchFigures, readFigures } from '../../tests/bench/figures.ts';
import { speedBlocks, speedGoals } from './speed.ts';

const where = { machine: 'a machine', load: 0.5 };
const vision = (ratio: number) => ({ ...where, looks: 66, pipelineMs: 23, runsMs: 20, ratio });
const peer = (fasterOnTwo: number) => ({
  ...where,
  ...{ frames: 44, oursMs: 20, oursOnTwoMs: 15, theirsMs: 15 * fasterOnTwo },
  ...{ faster: 0.75 * fasterOnTwo, fasterOnTwo },
});
const gallery = (dimensions: number, people: number, memoryMiB: number) => ({
  dimensions,
  sizes: [{ people, searchMs: 60, passMs: 50, searches: 24, wrong: 1 }],
  opened: { memoryMiB, peakMiB: 900 },
});
const galleries = (...all: ReturnType<typeof gallery>[]) => ({ ...where, galleries: all });
const verdicts = (figures: Omit<BenchFigures, 'version'>) =>
  speedGoals({ version: 1, ...figures }).map(({ verdict }) => verdict);

test('a goal is reached by its own figure, or says that it is not', () => {
  expect(verdicts({ vision: vision(1.15), peer: peer(8), galleries: galleries(gallery(512, 1_000_000, 715)) })).toEqual(
    [...['reached', 'reached', 'reached']],
  );
  expect(
    verdicts({ vision: vision(1.16), peer: peer(7.9), galleries: galleries(gallery(512, 1_000_000, 716)) }),
  ).toEqual(['not reached', 'not reached', 'not reached']);
  expect(speedGoals({ version: 1, peer: peer(5.25) })[1]).toMatchObject({ figure: expect.stringContaining('5.3 ×') });
});

test('what was not measured, of another length or among fewer people, reaches nothing', () => {
  expect(verdicts({})).toEqual(['not measured', 'not measured', 'not measured']);
  expect(verdicts({ galleries: galleries(gallery(704, 1_000_000, 10), gallery(512, 1_000, 10)) })[2]).toBe(
    'not measured',
  );
});

test('wrong answers and the load of the machine stand on the card', () => {
  const drawn = JSON.stringify(speedBlocks({ version: 1, galleries: galleries(gallery(704, 1_000, 10)) }));
  expect(drawn).toContain('23 of 24');
  expect(drawn).toContain('0.5 (galleries)');
});

test('parts that were measured before stay, and a file that holds something else is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaopass-figures-'));
  try {
    const file = join(folder, 'bench.json');
    addFigures(file, { vision: vision(1.2) });
    addFigures(file, { peer: peer(5) });
    addFigures(file, { vision: vision(1.1) });
    expect(readFigures(file)).toEqual({ version: 1, vision: vision(1.1), peer: peer(5) });
    writeFileSync(file, '{"version": 2}');
    expect(() => readFigures(file)).toThrow('version');
    expect(() => addFigures(file, { peer: peer(5) })).toThrow('version');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
