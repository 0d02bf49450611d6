/**
 * What stands before the simulated camera in each step. The terminal is told none of it: it gets pixels. The person to enrol
 * is filmed twice (cap12, cap13), the stranger once (franck).
 */
import type { CameraSource, SceneLayer } from '../../src-contract/screen.ts';

const clip = (name: string, more: Partial<SceneLayer> = {}): SceneLayer => ({
  kind: 'video',
  url: `/footage/${name}`,
  startS: 0,
  paused: false,
  x: 0,
  y: 0,
  width: 1,
  height: 1,
  rotationDeg: 0,
  drift: null,
  border: null,
  ...more,
});

const scene = (...layers: SceneLayer[]): CameraSource => ({ kind: 'scene', background: '#8a8f96', layers });

export const SCENES = {
  nobody: scene(),
  personOnDayOne: scene(clip('cap12_edit.webm')),
  personOnDayTwo: scene(clip('cap13_edit2.webm')),
  stranger: scene(clip('franck.webm')),
  /** A feed that stands still: one frame of the enrolled person, for ever. */
  frozenFeed: scene(clip('cap13_edit2.webm', { paused: true, startS: 2 })),
  /** A print of the enrolled person, held up by a hand. */
  heldPhoto: scene(
    clip('cap13_edit2.webm', {
      paused: true,
      startS: 2,
      x: 0.2,
      y: 0.14,
      width: 0.62,
      height: 0.62,
      rotationDeg: 5,
      drift: { amplitude: 0.03, periodS: 2.6 },
      border: { width: 0.05, colour: '#f4f2ec' },
    }),
  ),
  twoFaces: scene(
    clip('cap13_edit2.webm', { x: -0.2, width: 0.75, height: 0.75, y: 0.12 }),
    clip('franck.webm', { x: 0.48, width: 0.75, height: 0.75, y: 0.12 }),
  ),
} as const;
