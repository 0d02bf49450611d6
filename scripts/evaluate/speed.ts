/** What a benchmark measured, beside the goals for it. */
import type { BenchFigures } from '../../tests/bench/figures.ts';
import type { Block } from './document.ts';

/** Of one frame, in the bare runs of the models in it. */
export const RATIO_MAX = 1.15;
/** As fast as @vladmandic/human, on the same frames, with two threads. */
export const FASTER_MIN = 8;
/** Of a million people at 512 dimensions, in memory. */
const MEMORY_GB_MAX = 0.75;
const MEMORY_AT = { people: 1_000_000, dimensions: 512 };

export interface SpeedGoal {
  readonly goal: string;
  readonly figure: string;
  readonly verdict: 'reached' | 'not reached' | 'not measured';
}

const ms = (value: number) => `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
const count = (value: number) => value.toLocaleString('en');
const gigabytes = (mebibytes: number) => (mebibytes * 2 ** 20) / 1e9;

export function speedGoals({ vision, peer, galleries }: BenchFigures): SpeedGoal[] {
  const goal = (what: string, figure: string | null, reached: boolean): SpeedGoal => ({
    goal: what,
    figure: figure ?? '–',
    verdict: figure === null ? 'not measured' : reached ? 'reached' : 'not reached',
  });
  const gallery = galleries?.galleries.find(({ dimensions }) => dimensions === MEMORY_AT.dimensions);
  const opened = gallery?.sizes.at(-1)?.people === MEMORY_AT.people ? gallery.opened : null;
  return [
    goal(
      `frame → decision at most ${RATIO_MAX} × its models' bare runs`,
      vision
        ? `${vision.ratio.toFixed(2)} × (${ms(vision.pipelineMs)} and ${ms(vision.runsMs)} of processor time, one thread, ${count(vision.looks)} looks)`
        : null,
      vision !== undefined && vision.ratio <= RATIO_MAX,
    ),
    goal(
      `at least ${FASTER_MIN} × as fast as @vladmandic/human on the same frames`,
      peer
        ? `${peer.fasterOnTwo.toFixed(1)} × with two threads (${ms(peer.oursOnTwoMs)} and ${ms(peer.theirsMs)}, ${count(peer.frames)} looks); ${peer.faster.toFixed(1)} × with one (${ms(peer.oursMs)})`
        : null,
      peer !== undefined && peer.fasterOnTwo >= FASTER_MIN,
    ),
    goal(
      `${count(MEMORY_AT.people)} people of ${MEMORY_AT.dimensions} dimensions in at most ${MEMORY_GB_MAX} GB`,
      opened ? `${gigabytes(opened.memoryMiB).toFixed(2)} GB` : null,
      opened !== null && gigabytes(opened.memoryMiB) <= MEMORY_GB_MAX,
    ),
  ];
}

export function speedBlocks(figures: BenchFigures): Block[] {
  const { vision, peer, decision, galleries } = figures;
  const text = (...sentences: string[]): Block => ({ kind: 'text', text: sentences.join(' ') });
  const parts = Object.entries({ vision, peer, decision, galleries }).flatMap(([name, one]) =>
    one ? [{ name, machine: one.machine, load: one.load }] : [],
  );
  const machines = [...new Set(parts.map(({ machine }) => machine))];
  const blocks: Block[] = [
    { kind: 'heading', level: 2, text: 'Speed' },
    text(
      `From \`npm run bench -- --peer human --json FILE\` on ${machines.join('; ')}. Medians; what is compared ran in turn.`,
      `Others wanted ${parts.map(({ name, load }) => `${load.toFixed(1)} (${name})`).join(', ')} times the cores there are when it began: all times are too long by that, ratios less so.`,
    ),
    {
      kind: 'table',
      head: ['goal', 'figure', ''],
      rows: speedGoals(figures).map(({ goal, figure, verdict }) => [goal, figure, verdict]),
    },
  ];
  if (decision)
    blocks.push(
      text(
        `Face in view → decision, from recorded footage at a camera's rate: half of ${count(decision.looks)} looks within ${ms(decision.p50Ms)}, 95 % within ${ms(decision.p95Ms)}; ${count(decision.accepted)} accepted, as all should be. Most of it is the time a look must last, to tell a person from a picture.`,
      ),
    );
  if (galleries)
    blocks.push(
      text(
        '1:N, exact: every answer was compared with the plain float scan. One pass: the same bytes read once by one thread.',
      ),
      {
        kind: 'table',
        head: ['dimensions', 'people', 'search', 'passes', 'as the float scan', 'memory', 'at most, opening'],
        rows: galleries.galleries.flatMap(({ dimensions, sizes, opened }) =>
          sizes.map(({ people, searchMs, passMs, searches, wrong }, i) => [
            ...[count(dimensions), count(people), ms(searchMs), `${(searchMs / passMs).toFixed(1)} ×`],
            `${count(searches - wrong)} of ${count(searches)}`,
            ...(i === sizes.length - 1
              ? [opened.memoryMiB, opened.peakMiB].map((mebibytes) => `${gigabytes(mebibytes).toFixed(2)} GB`)
              : ['–', '–']),
          ]),
        ),
      },
    );
  return blocks;
}
