import { describe, expect, test } from 'vitest';
import { alignment, apply, levelMap, type Points, poseOf, similarity, squareAround } from './geometry.ts';

const REFERENCE: Points = [
  [38, 52],
  [74, 52],
  [56, 72],
  [41, 92],
  [71, 92],
];

describe('similarity', () => {
  test('finds rotation, scale and shift again', () => {
    const turned = REFERENCE.map(([x, y]): [number, number] => {
      const angle = 0.3;
      return [
        2 * (Math.cos(angle) * x - Math.sin(angle) * y) + 11,
        2 * (Math.sin(angle) * x + Math.cos(angle) * y) - 5,
      ];
    });
    const map = similarity(REFERENCE, turned);
    for (const [i, [x, y]] of REFERENCE.entries()) {
      const [u, v] = apply(map, x, y);
      expect(u).toBeCloseTo(turned[i]![0], 9);
      expect(v).toBeCloseTo(turned[i]![1], 9);
    }
  });

  test('alignment leads from the crop back into the frame', () => {
    const seen = REFERENCE.map(([x, y]): [number, number] => [300 - y, 100 + x]);
    const map = alignment(seen, REFERENCE);
    const [x, y] = apply(map, 56, 72);
    expect(x).toBeCloseTo(228, 9);
    expect(y).toBeCloseTo(156, 9);
  });
});

describe('the level square around a face', () => {
  /** A face whose points span 100 × 80 around (300, 200), the eyes in the upper third, turned about that centre. */
  const face = (degrees: number): Float32Array => {
    const angle = (degrees * Math.PI) / 180;
    const points = Array.from({ length: 68 }, (_, i): [number, number] => [
      i < 36 ? (i % 2 === 0 ? -50 : 50) : i < 42 ? -20 : i < 48 ? 20 : 0,
      i < 36 ? (i < 18 ? -40 : 40) : i < 48 ? -15 : 20,
    ]);
    return Float32Array.from(
      points.flatMap(([x, y]) => [
        300 + Math.cos(angle) * x - Math.sin(angle) * y,
        200 + Math.sin(angle) * x + Math.cos(angle) * y,
      ]),
    );
  };

  test.each([0, 20, -35])('has the eyes level, whatever the tilt: %d degrees', (degrees) => {
    const map = levelMap(face(degrees), 1.2, 60, 60);
    // The middle of the target, between its two middle pixels, is the face's centre; both count from pixel centres.
    const [x, y] = apply(map, 29.5, 29.5);
    expect(x).toBeCloseTo(299.5, 4);
    expect(y).toBeCloseTo(199.5, 4);
    // A pixel is 120 / 60 wide, and one row runs along the eyes.
    expect(Math.hypot(map.a, map.c)).toBeCloseTo(2, 5);
    expect((Math.atan2(map.c, map.a) * 180) / Math.PI).toBeCloseTo(degrees, 4);
  });

  test('of a target that is not square still shows all of the square', () => {
    const map = levelMap(face(0), 1, 50, 100);
    expect([map.a, map.b, map.c, map.d]).toEqual([2, expect.closeTo(0, 9), expect.closeTo(0, 9), 1]);
  });
});

describe('square crop', () => {
  const frame = { width: 640, height: 480 };

  test('that is moved inside never leaves the frame', () => {
    const square = squareAround(
      { x: 500, y: 300, width: 120, height: 160 },
      { kind: 'square', factor: 2.7, outside: 'shift' },
      frame,
    );
    expect(square).toEqual({ x: 208, y: 48, width: 432, height: 432 });
  });

  test('larger than the frame shrinks to it', () => {
    const square = squareAround(
      { x: 200, y: 100, width: 200, height: 300 },
      { kind: 'square', factor: 2.7, outside: 'shift' },
      frame,
    );
    expect(square).toEqual({ x: 60, y: 0, width: 480, height: 480 });
  });

  test('that replicates stays around the face', () => {
    const square = squareAround(
      { x: -20, y: 0, width: 100, height: 120 },
      { kind: 'square', factor: 1, outside: 'replicate' },
      frame,
    );
    expect(square).toEqual({ x: -30, y: 0, width: 120, height: 120 });
  });
});

/** iBUG-68 points of the generic head, turned and seen from far away. */
function head(yawDeg: number, pitchDeg: number, rollDeg: number): Float32Array {
  const [yaw, pitch, roll] = [yawDeg, pitchDeg, rollDeg].map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
  ];
  const points: Record<number, [number, number, number]> = {
    36: [-225, -170, -135],
    45: [225, -170, -135],
    30: [0, 0, 0],
    48: [-150, 150, -125],
    54: [150, 150, -125],
    8: [0, 330, -65],
  };
  const landmarks = new Float32Array(136);
  for (const [index, [x, y, z]] of Object.entries(points)) {
    const x1 = Math.cos(yaw) * x + Math.sin(yaw) * z;
    const z1 = -Math.sin(yaw) * x + Math.cos(yaw) * z;
    const y1 = Math.cos(pitch) * y + Math.sin(pitch) * z1;
    landmarks[2 * Number(index)] = 300 + 0.3 * (Math.cos(roll) * x1 - Math.sin(roll) * y1);
    landmarks[2 * Number(index) + 1] = 200 + 0.3 * (Math.sin(roll) * x1 + Math.cos(roll) * y1);
  }
  return landmarks;
}

describe('pose', () => {
  test.each([
    [0, 0, 0],
    [25, 0, 0],
    [-25, 0, 0],
    [0, 20, 0],
    [0, 0, 15],
  ])('of a head turned by yaw %i°, pitch %i°, roll %i° is found', (yaw, pitch, roll) => {
    const pose = poseOf(head(yaw, pitch, roll));
    expect(pose.yawDeg).toBeCloseTo(yaw, 0);
    expect(pose.pitchDeg).toBeCloseTo(pitch, 0);
    expect(pose.rollDeg).toBeCloseTo(roll, 0);
  });
});
