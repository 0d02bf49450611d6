import { expect, it } from 'vitest';
import { faceColours } from './colours.ts';
import { rasterOf } from './resample.ts';

const WIDTH = 640;
const HEIGHT = 480;
const FACE = { x: 220, y: 100, width: 200, height: 240 };

/** A frame of one colour, with rectangles of others. */
function frame(...rectangles: readonly { x: number; y: number; width: number; height: number; colour: number[] }[]) {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 4).fill(255);
  for (const { x, y, width, height, colour } of rectangles) {
    for (let v = y; v < y + height; v++) {
      for (let u = x; u < x + width; u++) pixels.set(colour, (v * WIDTH + u) * 4);
    }
  }
  return rasterOf(WIDTH, HEIGHT, pixels);
}

it('takes the inner face, and what is beside the person', () => {
  const { face, background } = faceColours(
    frame(
      { x: 0, y: 0, width: WIDTH, height: HEIGHT, colour: [10, 20, 30] },
      // Shirt and hair: neither counts.
      { x: 110, y: 0, width: 420, height: HEIGHT, colour: [200, 0, 0] },
      { x: 270, y: 172, width: 100, height: 120, colour: [140, 100, 80] },
    ),
    FACE,
  );
  expect(face).toEqual([140, 100, 80]);
  expect(background).toEqual([10, 20, 30]);
});

it('has no background where the person fills the frame', () => {
  expect(faceColours(frame(), { x: 0, y: 0, width: 600, height: 480 }).background).toBeNull();
});
