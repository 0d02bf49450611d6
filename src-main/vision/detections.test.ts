import { describe, expect, test } from 'vitest';
import { chooseFace, decodeDetections, middleFace } from './detections.ts';

const DECODE = {
  classes: 2,
  faceClass: 1,
  boxes: 'corner-fractions',
  confidenceMin: 0.7,
  overlapMax: 0.4,
  facesMax: 3,
} as const;
const FRAME = { width: 640, height: 480 };

function decode(...found: [confidence: number, x0: number, y0: number, x1: number, y1: number][]) {
  const scores = new Float32Array(found.flatMap(([confidence]) => [1 - confidence, confidence]));
  const boxes = new Float32Array(found.flatMap(([, ...box]) => box));
  return decodeDetections(scores, boxes, DECODE, FRAME);
}

describe('detections', () => {
  test('are boxes in pixels of the frame', () => {
    const [face] = decode([0.9, 0.25, 0.25, 0.5, 0.75]);
    expect(face?.box).toEqual({ x: 160, y: 120, width: 160, height: 240 });
    expect(face?.confidence).toBeCloseTo(0.9);
  });

  test('below the confidence, or without area, are none', () => {
    expect(decode([0.69, 0.1, 0.1, 0.5, 0.5], [0.9, 0.5, 0.5, 0.5, 0.9], [Number.NaN, 0.1, 0.1, 0.5, 0.5])).toEqual([]);
  });

  test('of one face are one: the surest', () => {
    const faces = decode([0.8, 0.2, 0.2, 0.5, 0.6], [0.95, 0.21, 0.2, 0.51, 0.6], [0.9, 0.7, 0.2, 0.8, 0.3]);
    expect(faces.map((face) => face.confidence.toFixed(2))).toEqual(['0.95', '0.90']);
  });

  test('are no more than the manifest allows', () => {
    const many = Array.from({ length: 9 }, (_, i): [number, number, number, number, number] => [
      0.9,
      i / 10,
      0,
      i / 10 + 0.05,
      0.1,
    ]);
    expect(decode(...many)).toHaveLength(3);
  });
});

describe('the face that is meant', () => {
  test('is the largest when the others stand far behind', () => {
    expect(chooseFace(decode([0.9, 0.8, 0.1, 0.85, 0.2], [0.9, 0.3, 0.2, 0.6, 0.7]))).toBe(0);
  });

  test('is nobody when two are alike in size', () => {
    expect(chooseFace(decode([0.9, 0.05, 0.2, 0.3, 0.6], [0.9, 0.6, 0.2, 0.82, 0.55]))).toBeNull();
  });

  test('is nobody when there is none', () => {
    expect(chooseFace([])).toBeNull();
  });
});

describe('the face of a portrait', () => {
  test('is the one in the middle, though another is larger', () => {
    const faces = decode([0.9, 0.0, 0.1, 0.35, 0.7], [0.9, 0.4, 0.3, 0.6, 0.6]);
    expect(faces[0]!.box.x).toBe(0);
    expect(middleFace(faces, FRAME)).toBe(1);
  });

  test('is nobody when there is none', () => {
    expect(middleFace([], FRAME)).toBeNull();
  });
});
