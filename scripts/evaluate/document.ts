/** The card as headings, sentences, tables and plots; markdown.ts and page.ts only draw them. */
import type { ErrorCard, Verification } from './card.ts';
import { goalsOf } from './goals.ts';
import type { Limits } from './intervals.ts';
import type { Plot } from './plots.ts';
import { speedBlocks } from './speed.ts';
import { ERRORS_ENOUGH } from './verification.ts';

export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'plot'; readonly plot: Plot };

const SETS: Readonly<Record<Verification['set'], string>> = {
  listed: 'the listed comparisons',
  all: 'every face that was found',
  good: 'faces whose quality the terminal accepts',
};

export function documentOf(card: ErrorCard): Block[] {
  return [
    { kind: 'heading', level: 1, text: 'Error card' },
    text('Made by `npm run evaluate`; not edited by hand.', `Measured on: ${card.title}.`, card.about),
    ...goalBlocks(card),
    ...(card.data.photographs > 0
      ? [...acquisitionOf(card), ...verificationOf(card), ...identificationOf(card), ...calibrationBlocks(card)]
      : []),
    ...conditionsOf(card),
    ...presentationOf(card),
    ...sequencesOf(card),
    ...groupsOf(card),
    ...stagesOf(card),
    ...(card.speed ? speedBlocks(card.speed) : []),
    heading('Models'),
    table(
      ['role', 'name', 'SHA-256 of the weights'],
      card.models.map(({ role, name, sha256 }) => [role, name, `${sha256.slice(0, 16)}…`]),
    ),
    heading('What these figures cannot say'),
    { kind: 'list', items: card.limits },
  ];
}

function goalBlocks(card: ErrorCard): Block[] {
  const goals = goalsOf(card);
  if (goals.length === 0) return [];
  const speed = card.speed ? ' Those of speed are under "Speed".' : '';
  return [
    heading('Goals'),
    text(
      'Single photographs, of every face that was found, whatever its quality. Shown: at the worse of the 95 % limits too.' +
        speed,
    ),
    table(
      ['goal', 'figure', '95 % limits', ''],
      goals.map(({ goal, figure, verdict, why }) => [
        goal,
        figure ? share(figure.value) : '–',
        figure?.limits ? between(figure.limits) : '–',
        why === '' ? verdict : `${verdict} (${why})`,
      ]),
    ),
  ];
}

function acquisitionOf({ acquisition, data }: ErrorCard): Block[] {
  const { photographs, noFace, unreadable, rate, limits, good, refusals } = acquisition;
  const reasons = Object.entries(refusals)
    .sort(([, a], [, b]) => b - a)
    .map(([why, times]) => `${why} ${count(times)}`);
  return [
    heading('Failure to acquire'),
    text(
      `${count(photographs)} photographs of ${count(data.people)} people: in ${count(noFace)} no face was found, ${count(unreadable)} could not be read. Failure-to-acquire rate ${share(rate)} (95 %: ${between(limits)}).`,
      `The terminal would have compared ${count(good)} of the faces, and asked for a better look at the others${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}.`,
    ),
  ];
}

function verificationOf({ verification, bootstrapReplicas }: ErrorCard): Block[] {
  return [
    heading('One to one'),
    text(
      'FMR: share of pairs of two people that match. FNMR: share of pairs of one person that do not. A pair matches above the threshold, which is set where the FMR is reached.',
      bootstrapReplicas > 0
        ? `Limits are 95 %, over ${count(bootstrapReplicas)} replicas in which whole people were drawn with replacement, and never narrower than that number of people allows (Wilson).`
        : 'Limits are 95 % (Wilson), as of that number of people.',
    ),
    ...verification.flatMap((one): Block[] => [
      text(
        `**Of ${SETS[one.set]}**: ${count(one.photographs)} photographs of ${count(one.people)} people, of whom ${count(one.peopleWithSeveral)} have several; ${count(one.genuinePairs)} genuine and ${count(one.impostorPairs)} impostor pairs. Equal error rate ${share(one.curve.equalErrorRate)}.`,
        one.genuineNotCompared > 0
          ? `${count(one.genuineNotCompared)} genuine pairs could not be compared for want of a face; they are not in these rates.`
          : '',
        accuracyOf(one),
      ),
      table(
        ['FMR', 'threshold', 'FNMR', '95 % limits', 'impostor pairs above'],
        one.points.map(({ fmr, threshold, fnmr, limits, falseMatches }) => [
          exponent(fmr),
          threshold === null ? 'not measured' : threshold.toFixed(3),
          fnmr === null ? '–' : share(fnmr),
          limits ? between(limits) : '–',
          `${count(falseMatches)}${falseMatches < ERRORS_ENOUGH ? ' (few)' : ''}`,
        ]),
      ),
    ]),
    ...policyRatesOf(verification),
    {
      kind: 'plot',
      plot: {
        title: 'Detection error trade-off',
        x: { label: 'false-match rate', scale: 'log', from: 1e-6, to: 1 },
        y: { label: 'false-non-match rate', scale: 'log', from: 1e-3, to: 1 },
        lines: verification.map(({ set, curve }) => ({
          name: SETS[set],
          points: curve.points.map(({ fmr, fnmr }) => [fmr, fnmr] as const),
        })),
      },
    },
    ...verification
      .filter(({ set }) => set !== 'good')
      .map(
        ({ set, histogram }): Block => ({
          kind: 'plot',
          plot: {
            title: `Scores: ${SETS[set]}`,
            x: { label: 'score', scale: 'linear', from: -0.4, to: 1 },
            y: {
              label: 'share of pairs',
              scale: 'linear',
              from: 0,
              to: Math.max(...histogram.genuine, ...histogram.impostor),
            },
            lines: [
              { name: 'two people', points: histogram.impostor.map((value, i) => [-0.99 + 0.02 * i, value] as const) },
              { name: 'one person', points: histogram.genuine.map((value, i) => [-0.99 + 0.02 * i, value] as const) },
            ],
          },
        }),
      ),
  ];
}

function policyRatesOf(verification: readonly Verification[]): Block[] {
  const [first] = verification;
  if (!first) return [];
  return [
    text(
      'What a policy’s rate for one comparison means (`services.*.claimed`, somebody who says who they are): it is reached at the score that the shipped calibration says has it, safety factor included.',
    ),
    table(
      ['rate in the policy', 'score', ...verification.map(({ set }) => `FNMR of ${SETS[set]}`)],
      first.policyRates.map(({ rate, score }, i) => [
        exponent(rate),
        score.toFixed(3),
        ...verification.map(({ policyRates }) => {
          const { fnmr, limits } = policyRates[i]!;
          return fnmr === null || limits === null ? '–' : `${share(fnmr)} (${between(limits)})`;
        }),
      ]),
    ),
  ];
}

function accuracyOf({ accuracy }: Verification): string {
  if (!accuracy) return '';
  const { mean, standardError, folds } = accuracy;
  return standardError === null
    ? `Accuracy ${share(mean)} at the best threshold on these very pairs, which flatters.`
    : `Accuracy ${share(mean)} ± ${share(standardError)} (mean and standard error over ${folds.length} folds, each at the threshold that is best on the others).`;
}

function identificationOf({ identification }: ErrorCard): Block[] {
  const sizes = identification.filter(({ points }) => points.length > 0);
  if (sizes.length === 0)
    return [heading('One to many'), text('Not measured: nobody has a second photograph, or people are too few.')];
  const levels = sizes[0]!.points.map(({ fpir }) => fpir);
  return [
    heading('One to many'),
    text(
      'FPIR: share of strangers for whom somebody is named. FNIR: share of known people who do not come first above the threshold. One photograph a person in the gallery; galleries are drawn by chance, everybody is also looked for in one without them.',
    ),
    table(
      ['people in the gallery', 'first, whatever the score', ...levels.map((fpir) => `FNIR at FPIR ${share(fpir)}`)],
      sizes.map(({ people, rankOne, points }) => [
        count(people),
        share(rankOne),
        ...points.map(({ fnir, limits }) => `${share(fnir)} (${between(limits)})`),
      ]),
    ),
    {
      kind: 'plot',
      plot: {
        title: 'Known people missed, by size of the gallery',
        x: {
          label: 'people in the gallery',
          scale: 'log',
          from: 100,
          to: Math.max(1_000, ...sizes.map(({ people }) => people)),
        },
        y: {
          label: 'FNIR',
          scale: 'linear',
          from: 0,
          to: Math.max(0.05, ...sizes.flatMap(({ points }) => points.map(({ fnir }) => fnir))),
        },
        lines: levels.map((fpir, i) => ({
          name: `FPIR ${share(fpir)}`,
          points: sizes.map(({ people, points }) => [people, points[i]!.fnir] as const),
        })),
      },
    },
  ];
}

function calibrationBlocks({ calibration }: ErrorCard): Block[] {
  if (!calibration) return [];
  const { shipped, measured, fit, halves, counted } = calibration;
  const curve = (points: typeof measured.points) =>
    points.map(({ score, log10Fmr }) => [score, 10 ** log10Fmr] as const);
  return [
    heading('Calibration'),
    text(
      `From a score to the rate at which strangers reach it. Counted as far as ${ERRORS_ENOUGH} pairs lie behind a point${fit ? `; beyond, an exponential tail fitted on the ${count(fit.scores)} highest scores, at the upper 95 % limit of its scale (${fit.scaleHigh.toFixed(4)}). The generalised Pareto law has shape ${fit.shape.toFixed(2)} there (5th percentile ${fit.shapeLow.toFixed(2)}; 0 is exponential, above it the tail is heavier).` : '; too few pairs to fit a tail.'}`,
      `No rate below 10^${measured.floorLog10Fmr} is claimed, and every rate is multiplied by ${measured.safetyFactor}.`,
    ),
    table(
      ['score', 'rate of one comparison', 'claimed'],
      measured.points.map(({ score, log10Fmr }) => [
        score.toFixed(3),
        exponent(10 ** log10Fmr),
        exponent(Math.min(1, 10 ** log10Fmr * measured.safetyFactor)),
      ]),
    ),
    text(
      'Whether a claimed rate is kept: calibrated on one half of the people, counted on the other, and the other way round.',
    ),
    table(
      ['claimed', 'counted', 'impostor pairs above', 'of'],
      halves.map(({ claimed, measured: rate, falseMatches, pairs }) => [
        exponent(claimed),
        exponent(rate),
        count(falseMatches),
        count(pairs),
      ]),
    ),
    {
      kind: 'plot',
      plot: {
        title: 'False-match rate of one comparison',
        x: { label: 'score', scale: 'linear', from: 0, to: 1 },
        y: { label: 'false-match rate', scale: 'log', from: 1e-8, to: 1 },
        lines: [
          { name: 'counted', points: curve(counted) },
          { name: 'measured now, without the safety factor', points: curve(measured.points) },
          { name: 'in the manifest, without the safety factor', points: curve(shipped.points) },
        ],
      },
    },
  ];
}

function presentationOf({ presentation }: ErrorCard): Block[] {
  if (presentation.length === 0) return [];
  const worst = presentation
    .filter(({ bonaFide, rate }) => !bonaFide && rate !== null)
    .sort((a, b) => b.rate! - a.rate!)[0];
  return [
    heading('Presentation attacks'),
    text(
      'APCER: share of attacks in which a face was found that were taken for a living person. BPCER: share of living people who were taken for an attack (ISO/IEC 30107-3). Undecided: the terminal would go on looking.',
      worst ? `Highest APCER: ${share(worst.rate!)}, ${worst.kind}.` : '',
    ),
    table(
      [
        'kind',
        'judged',
        'presentations',
        'taken for living',
        'for an attack',
        'undecided',
        'no face',
        'rate',
        '95 % limits',
      ],
      presentation.map((row) => [
        row.kind,
        row.judged,
        ...[row.presentations, row.live, row.attack, row.undecided, row.noFace].map(count),
        row.rate === null ? '–' : `${row.bonaFide ? 'BPCER' : 'APCER'} ${share(row.rate)}`,
        row.limits ? between(row.limits) : '–',
      ]),
    ),
  ];
}

function sequencesOf({ sequences }: ErrorCard): Block[] {
  if (!sequences) return [];
  const seconds = (ms: number | null) => (ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`);
  return [
    heading('Attack sequences'),
    text(
      "Rendered from the demonstration's footage by tests/attacks and shown to the terminal's own eyes frame by frame until it had decided, as a customer's look is: passive cues alone, no challenge, any camera.",
      'APCER: share of attacks taken for a living person. BPCER: share of people taken for an attack. No answer: the film ended first.',
    ),
    table(
      [
        'kind',
        'sequences',
        'taken for living',
        'for an attack',
        'no answer',
        'rate',
        '95 % limits',
        'answer after, median',
        'refused by',
      ],
      sequences.kinds.map((row) => [
        row.kind,
        ...[row.presentations, row.live, row.attack, row.unanswered].map(count),
        `${row.bonaFide ? 'BPCER' : 'APCER'} ${share(row.rate)}`,
        between(row.limits),
        seconds(row.answeredAfterMs),
        row.cues.map(({ cue, presentations }) => `${cue} ${count(presentations)}`).join(', ') || '–',
      ]),
    ),
  ];
}

function conditionsOf({ conditions }: ErrorCard): Block[] {
  if (!conditions) return [];
  const { fmr, threshold, rates } = conditions;
  return [
    heading('Hard conditions'),
    text(
      `Photographs of people of whom there are several, alone in them and good, with a condition drawn onto each, against their untouched ones; and masked ones against masked ones. One threshold for all (${threshold.toFixed(3)}), where untouched strangers reach an FMR of ${exponent(fmr)}.`,
      'The terminal compares only what it accepts; to the others it gives a hint. "none": accepted nothing and had nothing to say.',
    ),
    table(
      [
        ...['condition', 'strength', 'probes', 'no face', 'terminal accepts', 'its hints to the others'],
        ...['FNMR of all', '95 % limits', 'FNMR of accepted', 'FMR of all'],
      ],
      rates.map((row) => [
        row.reference === 'untouched' ? row.name : `${row.name}, enrolled with one`,
        row.strength,
        count(row.probes),
        share(row.noFace / row.probes),
        share(row.accepted / row.probes),
        row.hints
          .slice(0, 3)
          .map(({ hint, times }) => `${hint} ${count(times)}`)
          .join(', ') || '–',
        row.fnmr === null ? '–' : share(row.fnmr),
        row.limits ? between(row.limits) : '–',
        row.acceptedFnmr === null ? '–' : `${share(row.acceptedFnmr)} of ${count(row.acceptedGenuine)}`,
        row.fmr === null ? '–' : exponent(row.fmr),
      ]),
    ),
  ];
}

function groupsOf({ groups }: ErrorCard): Block[] {
  return groups.flatMap(({ attribute, fmr, threshold, groups: all, worstFnmr, worstFmr }): Block[] => {
    const worst = (name: string, found: typeof worstFnmr) =>
      found
        ? `Highest ${name}: ${found.group}${found.ratio === null ? '' : `, ${found.ratio.toFixed(2)} times that of all`}.`
        : '';
    return [
      heading(`By ${attribute}`),
      text(
        `At one threshold for all (${threshold.toFixed(3)}, FMR ${exponent(fmr)}). Impostor pairs are those within a group.`,
        worst('FNMR', worstFnmr),
        worst('FMR', worstFmr),
      ),
      table(
        [attribute, 'people', 'genuine pairs', 'FNMR', '95 % limits', 'impostor pairs', 'FMR'],
        all.map((group) => [
          group.name,
          count(group.people),
          count(group.genuinePairs),
          group.fnmr === null ? '–' : share(group.fnmr),
          group.fnmrLimits ? between(group.fnmrLimits) : '–',
          count(group.impostorPairs),
          group.fmr === null ? '–' : exponent(group.fmr),
        ]),
      ),
    ];
  });
}

function stagesOf({ stages }: ErrorCard): Block[] {
  if (stages.length === 0) return [];
  return [
    heading('Time'),
    text(
      'Of one frame on the machine that made this card. Where it had other work, the fastest tenth says more; `npm run bench` compares on equal terms.',
    ),
    table(
      ['stage', 'fastest tenth', 'median', '95 %'],
      stages.map(({ stage, ...ms }) => [
        stage,
        ...[ms.p10Ms, ms.medianMs, ms.p95Ms].map((value) => `${value.toFixed(1)} ms`),
      ]),
    ),
  ];
}

const heading = (text: string): Block => ({ kind: 'heading', level: 2, text });
const text = (...sentences: readonly string[]): Block => ({
  kind: 'text',
  text: sentences.filter((sentence) => sentence !== '').join(' '),
});
const table = (head: readonly string[], rows: readonly (readonly string[])[]): Block => ({ kind: 'table', head, rows });

const count = (value: number) => value.toLocaleString('en');
/** Two figures that count: 0.46 %, 4.3 %, 21 %; all of them near 100 %. */
function share(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const percent = 100 * value;
  if (percent === 0 || percent === 100) return `${percent} %`;
  return `${percent >= 90 ? percent.toFixed(2) : percent >= 10 ? percent.toFixed(0) : percent.toPrecision(2)} %`;
}
const between = ({ low, high }: Limits) => `${share(low)} … ${share(high)}`;
function exponent(rate: number): string {
  if (rate === 0) return '0';
  if (!Number.isFinite(rate)) return '–';
  const [mantissa, power] = rate.toExponential(1).split('e');
  return `${mantissa!.replace(/\.0$/, '')}e${Number(power)}`;
}
