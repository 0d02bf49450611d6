/**
 * `npm run bench`: what things cost on this machine, from one run. Fails when a figure misses its goal. `--peer human` compares with
 * @vladmandic/human as well, for which npm needs its registry. `--only` takes some parts: vision, decision, gallery, journal. `--json FILE`
 * keeps the figures of the parts that ran, for the error card.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FASTER_MIN, RATIO_MAX } from '../../scripts/evaluate/speed.ts';
import { benchDecision, decisionInWords } from './decision.ts';
import { addFigures, circumstances, MACHINE } from './figures.ts';
import { benchGalleries, galleryInWords } from './gallery.ts';
import { benchJournal, journalInWords } from './journal.ts';
import { benchPeer, peerInWords } from './peer.ts';
import { benchVision, visionInWords } from './vision.ts';

const { values } = parseArgs({
  options: {
    peer: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
if (values.peer !== undefined && values.peer !== 'human') {
  throw new Error(`--peer ${values.peer}: only human can be compared with`);
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
  if ('faster' in peer && !(peer.faster >= FASTER_MIN)) {
    missed.push(`the vision pipeline is ${peer.faster.toFixed(1)} times as fast as its peer, less than ${FASTER_MIN}`);
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
