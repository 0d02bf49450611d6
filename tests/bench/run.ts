/** `npm run bench`: what things cost on this machine, from one run. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FASTER_MIN, RATIO_MAX } from '../../scripts/evaluate/speed.ts';
import { benchDecision, decisionInWords } from './decision.ts';
import { addFigures, circumstances, MACHINE } from './figures.ts';
import { benchGalleries, galleryInWords } from './gallery.ts';
import { benchJournal, journalInWords } from './journal.ts';
import { benchPeer, peerInWords } from './peer.ts';
import { benchVision, visionInWords } from './vision.ts';

const PARTS = ['vision', 'decision', 'gallery', 'journal'];
const HELP = `What things cost on this machine, from one run: a frame beside its models' bare runs, a decision, searches among a million
people, a terminal's journal.

  npm run bench -- [--only PART …] [--peer human] [--json FILE]

  --only PART   ${PARTS.join(', ')}; may be given several times (all)
  --peer human  @vladmandic/human on the same frames, too, in turn; npm installs it into a temporary folder
  --json FILE   keeps the figures of what ran, for npm run evaluate -- --bench FILE

Exit code 1 when a figure misses its goal, 2 when something that was given is wrong.`;

const { values } = given();
function given() {
  try {
    return parseArgs({
      options: {
        peer: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return refused((error as Error).message);
  }
}
function refused(why: string): never {
  console.error(`${why}\n\n${HELP}`);
  process.exit(2);
}
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
if (values.peer !== undefined && values.peer !== 'human')
  refused(`--peer: "${values.peer}" cannot be compared with, only human`);
for (const part of values.only) {
  if (!PARTS.includes(part)) refused(`--only: there is no part "${part}"`);
}
const wanted = (part: string) => values.only.length === 0 || values.only.includes(part);
const missed: string[] = [];

console.log(
  `Kaopass on ${MACHINE}. Ratios are from one run: other work on the machine makes all times longer, and ratios less so.`,
);
const keep = (parts: Parameters<typeof addFigures>[1]) => {
  if (values.json !== undefined) addFigures(resolve(values.json), parts);
};
if (wanted('vision')) {
  const where = circumstances();
  const vision = await benchVision();
  console.log(visionInWords(vision));
  keep({ vision: { ...where, ...vision } });
  if (!(vision.ratio <= RATIO_MAX)) {
    missed.push(
      `the vision pipeline takes ${vision.ratio.toFixed(3)} times its models' own runs, more than ${RATIO_MAX}`,
    );
  }
}
if (values.peer) {
  const where = circumstances();
  const peer = await benchPeer();
  console.log(peerInWords(peer));
  if ('faster' in peer) keep({ peer: { ...where, ...peer } });
  if ('faster' in peer && !(peer.fasterOnTwo >= FASTER_MIN)) {
    missed.push(
      `the vision pipeline is ${peer.fasterOnTwo.toFixed(1)} times as fast as its peer, less than ${FASTER_MIN}`,
    );
  }
}
if (wanted('decision')) {
  const where = circumstances();
  const decision = await benchDecision();
  console.log(decisionInWords(decision));
  keep({ decision: { ...where, ...decision } });
}
if (wanted('gallery')) {
  const where = circumstances();
  const galleries = benchGalleries();
  for (const gallery of galleries) console.log(galleryInWords(gallery));
  keep({ galleries: { ...where, galleries } });
  for (const { people, wrong } of galleries.flatMap(({ sizes }) => sizes)) {
    if (wrong > 0) missed.push(`${wrong} searches among ${people} people answered otherwise than the float scan`);
  }
}
if (wanted('journal')) console.log(journalInWords(await benchJournal()));
for (const what of missed) console.error(`missed: ${what}`);
if (missed.length > 0) process.exitCode = 1;
