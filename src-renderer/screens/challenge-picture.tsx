import type { Demand } from '../../src-contract/challenge.ts';

/** Arrows on a grid of 200 units; left and right as in the mirror that the preview is. */
const ARROWS: Readonly<Partial<Record<Demand, string>>> = {
  'turn-left': 'M26 48A84 84 0 0 0 14 116M-2 100L14 118L32 102',
  'turn-right': 'M174 48A84 84 0 0 1 186 116M202 100L186 118L168 102',
  nod: 'M178 60V140M164 124L178 142L192 124',
};

/** A face that does what is asked for, again and again; with reduced motion it stands in the pose. */
export function ChallengePicture({ asked }: { asked: Demand | 'settle' }) {
  const arrow = asked === 'settle' ? undefined : ARROWS[asked];
  return (
    <svg className="challenge-picture" data-asked={asked} viewBox="-12 0 224 200" aria-hidden="true" focusable="false">
      <g className="challenge-head">
        <path
          className="challenge-outline"
          d="M100 26C64 26 46 54 46 96C46 142 70 176 100 176C130 176 154 142 154 96C154 54 136 26 100 26Z"
        />
        <g className="challenge-features">
          <path d="M66 78Q76 71 86 78M114 78Q124 71 134 78" />
          <ellipse className="challenge-eye" cx="76" cy="94" rx="7" ry="8" />
          <ellipse className="challenge-eye" cx="124" cy="94" rx="7" ry="8" />
          <path d="M100 98L95 120H105" />
          <ellipse className="challenge-mouth" cx="100" cy="142" rx="17" ry="3" />
        </g>
      </g>
      {asked === 'light' && (
        <path
          className="challenge-rays"
          d="M100 2V16M30 30L40 40M170 30L160 40M6 100H22M194 100H178M30 170L40 160M170 170L160 160M100 198V184"
        />
      )}
      {arrow && <path className="challenge-arrow" d={arrow} />}
    </svg>
  );
}
