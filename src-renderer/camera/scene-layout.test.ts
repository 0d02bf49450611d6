import { describe, expect, it } from 'vitest';
import { SceneLayer } from '../../src-contract/screen.ts';
import { placeLayer } from './scene-layout.ts';

const layer = (more: object) => SceneLayer.parse({ kind: 'image', url: '/footage/a.jpg', ...more });

describe('a layer of a scene', () => {
  it('fills the frame when nothing else is said', () => {
    expect(placeLayer(layer({}), { width: 640, height: 480 }, 3)).toEqual({
      centreX: 320,
      centreY: 240,
      width: 640,
      height: 480,
      rotationRad: 0,
      borderPx: 0,
      crop: { x: 0, y: 0, width: 640, height: 480 },
    });
  });

  it('keeps the shape of its picture: what does not fit is cut evenly from both sides', () => {
    expect(placeLayer(layer({}), { width: 1280, height: 720 }, 0).crop).toEqual({
      x: 160,
      y: 0,
      width: 960,
      height: 720,
    });
    expect(placeLayer(layer({}), { width: 300, height: 600 }, 0).crop).toEqual({
      x: 0,
      y: 187.5,
      width: 300,
      height: 225,
    });
  });

  it('stands where its fractions say, turned, with paper of a part of its width around it', () => {
    const place = placeLayer(
      layer({ x: 0.25, y: 0.5, width: 0.5, height: 0.25, rotationDeg: 90, border: { width: 0.1, colour: '#fff' } }),
      { width: 320, height: 120 },
      0,
    );
    expect(place).toMatchObject({ centreX: 320, centreY: 300, width: 320, height: 120, borderPx: 32 });
    expect(place.rotationRad).toBeCloseTo(Math.PI / 2);
  });

  it('sways by its amplitude and comes back after its period', () => {
    const swaying = layer({ drift: { amplitude: 0.1, periodS: 4 } });
    const at = (s: number) => placeLayer(swaying, { width: 640, height: 480 }, s).centreX;
    expect(at(0)).toBeCloseTo(320);
    expect(at(1)).toBeCloseTo(320 + 64);
    expect(at(3)).toBeCloseTo(320 - 64);
    expect(at(4)).toBeCloseTo(320);
  });
});
