/**
 * Who can stand before a demonstration's camera: recorded clips, played by the simulated camera of the screen. Only the
 * hands of a demonstration choose among them; session and vision get pixels and nothing else.
 */
import type { CameraSource, SceneLayer } from '../../src-contract/screen.ts';

export interface DemonstrationScene {
  readonly id: string;
  readonly names: { readonly ja: string; readonly en: string };
  readonly source: CameraSource;
}

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
  nobody: { id: 'nobody', names: { ja: 'だれもいない', en: 'Nobody' }, source: scene() },
  personOnDayOne: {
    id: 'person-1',
    names: { ja: '男性A（1日目）', en: 'Man A, one day' },
    source: scene(clip('cap12_edit.webm')),
  },
  personOnDayTwo: {
    id: 'person-2',
    names: { ja: '男性A（別の日）', en: 'Man A, another day' },
    source: scene(clip('cap13_edit2.webm')),
  },
  stranger: { id: 'stranger', names: { ja: '男性B', en: 'Man B' }, source: scene(clip('franck.webm')) },
  frozenFeed: {
    id: 'frozen',
    names: { ja: '静止した映像', en: 'A feed that stands still' },
    source: scene(clip('cap13_edit2.webm', { paused: true, startS: 2 })),
  },
  heldPhoto: {
    id: 'photo',
    names: { ja: '手に持った写真', en: 'A photo held up' },
    source: scene(
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
  },
  twoFaces: {
    id: 'two',
    names: { ja: '2人', en: 'Two people' },
    source: scene(
      clip('cap13_edit2.webm', { x: -0.2, width: 0.75, height: 0.75, y: 0.12 }),
      clip('franck.webm', { x: 0.48, width: 0.75, height: 0.75, y: 0.12 }),
    ),
  },
} as const satisfies Record<string, DemonstrationScene>;
