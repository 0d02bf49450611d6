import { expect, test } from 'vitest';
import { stripeStrength } from './fine-stripes.ts';

const WIDTH = 160;
const HEIGHT = 100;
const FACE = { x: 20, y: 0, width: 110, height: 100 };

/** Shading, an edge, and a sensor's noise; and stripes of some depth, as a share of the light. */
function frame({ depth = 0, pitchPx = 2.7, turn = 0.1, noise = 2 }) {
  let state = 1;
  const speck = () => {
    let sum = 0;
    for (let i = 0; i < 12; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      sum += state / 2 ** 32 - 0.5;
    }
    return sum * noise;
  };
  const words = Uint32Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    const shade = 110 + 40 * Math.sin(x / 40) + (Math.hypot(x - 80, y - 50) < 30 ? 30 : 0);
    const wave = Math.cos((2 * Math.PI * (x * Math.cos(turn) + y * Math.sin(turn))) / pitchPx);
    return Math.round(Math.min(Math.max(shade * (1 + depth * wave) + speck(), 0), 255)) << 8;
  });
  return { width: WIDTH, height: HEIGHT, words };
}

test('a grid of three parts in a hundred stands out, whichever way it runs', () => {
  for (const turn of [0, 0.4, 1.5]) expect(stripeStrength(frame({ depth: 0.03, turn }), FACE)).toBeGreaterThan(2.2);
});

test('a grid that is finer than the camera’s is seen by its beat', () => {
  expect(stripeStrength(frame({ depth: 0.05, pitchPx: 0.72 }), FACE)).toBeGreaterThan(2.2);
});

test('edges, shading and noise are no grid', () => {
  for (const noise of [0.5, 2, 5]) expect(stripeStrength(frame({ noise }), FACE)).toBeLessThan(1.6);
});

test('a face at the edge of the frame, and a frame too small, are no error', () => {
  expect(stripeStrength(frame({}), { x: -40, y: 80, width: 120, height: 140 })).toBeLessThan(1.6);
  expect(stripeStrength({ width: 64, height: 64, words: new Uint32Array(4096) }, FACE)).toBe(0);
});
