import type { LookHint } from '../../src-contract/screen.ts';
import type { IconName } from '../parts/icon.tsx';

/** Left and right are the customer's own, which is where the mirrored picture moves too. */
export const HINT_ICONS: Readonly<Record<LookHint, IconName>> = {
  'come-closer': 'farther',
  'step-back': 'closer',
  'move-left': 'left',
  'move-right': 'right',
  'move-up': 'up',
  'move-down': 'down',
  'look-straight': 'face',
  'more-light': 'sun',
  'less-light': 'shade',
  'hold-still': 'still',
  'one-person-only': 'people',
  'nobody-there': 'face',
  'hold-it': 'tick',
};

/** good: all is well, wait; ask: the customer can do something; idle: nobody is seen yet. */
export function hintTone(hint: LookHint | null, faceSeen: boolean): 'good' | 'ask' | 'idle' {
  if (hint === 'hold-it') return 'good';
  if (hint === null) return faceSeen ? 'good' : 'idle';
  return hint === 'nobody-there' ? 'idle' : 'ask';
}
