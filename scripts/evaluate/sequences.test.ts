import { expect, test } from 'vitest';
import { openCache } from './cache.ts';
import { type Rendering, ratesOf, sequenceRates } from './sequences.ts';

const shown = (verdict: 'live' | 'attack' | 'undecided' | 'no-face', frames = 20, cues: readonly string[] = []) => ({
  ...{ verdict, frames, cues },
});

test('the rate of an attack is the share taken for living, of people the share taken for an attack', () => {
  const looks = [
    shown('live', 31),
    shown('attack', 16, ['flat-motion']),
    shown('undecided', 120),
    shown('no-face', 120),
  ];
  expect(ratesOf('print', false, looks, 15)).toMatchObject({
    ...{ presentations: 4, live: 1, attack: 1, unanswered: 2, rate: 0.25, answeredAfterMs: 1000 },
    cues: [{ cue: 'flat-motion', presentations: 1 }],
  });
  expect(ratesOf('people', true, [...looks, shown('attack')], 15)).toMatchObject({ live: 1, attack: 2, rate: 0.4 });
});

test('what nobody answered has no time', () => {
  expect(ratesOf('print', false, [shown('undecided')], 15)).toMatchObject({ rate: 0, answeredAfterMs: null });
});

test('people are shown three times as often, and what was shown once is not shown again', async () => {
  const asked: string[] = [];
  const rendering: Rendering = {
    kinds: [
      { name: 'person', bonaFide: true },
      { name: 'print', bonaFide: false },
    ],
    framesPerSecond: 15,
    digest: 'one',
    present: async (kind, seed) => {
      asked.push(`${kind} ${seed}`);
      return shown(kind === 'person' ? 'live' : 'attack');
    },
  };
  const cache = openCache(null);
  const showing = {
    ...{ count: 1, pipelineDigest: 'x', cache, onProgress: () => undefined },
    calibration: {} as never,
  };
  const rows = await sequenceRates(rendering, showing);
  expect(asked).toEqual(['person 0', 'person 1', 'person 2', 'print 0']);
  expect(rows.map(({ kind, rate }) => [kind, rate])).toEqual([
    ['person', 0],
    ['print', 0],
  ]);
  expect(await sequenceRates(rendering, showing)).toEqual(rows);
  expect(asked).toHaveLength(4);
  await sequenceRates({ ...rendering, digest: 'another' }, showing);
  expect(asked).toHaveLength(8);
  cache.close();
});
