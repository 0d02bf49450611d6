/** The screen both identification and enrolment look at the customer through. */
import type { Money, Service } from '../../src-contract/primitives.ts';
import type { Screen } from '../../src-contract/screen.ts';
import type { Observation } from '../vision/observation.ts';
import type { Judgement } from './gather.ts';

export function lookScreen(
  service: Service,
  amount: Money | null,
  judgement: Judgement | null,
  latest: Observation | null,
): Extract<Screen, { name: 'look' }> {
  return {
    name: 'look',
    service,
    hint: judgement?.kind === 'gathering' ? judgement.hint : null,
    progress: judgement?.kind === 'gathering' ? judgement.progress : 0,
    face: latest && faceIn(latest),
    amount,
  };
}

/** The chosen face as fractions of the frame; null when none. */
export function faceIn({ faces, chosen, width, height }: Observation): Extract<Screen, { name: 'look' }>['face'] {
  const box = chosen === null ? undefined : faces[chosen]?.box;
  return box ? { x: box.x / width, y: box.y / height, width: box.width / width, height: box.height / height } : null;
}
