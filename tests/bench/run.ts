/**
 * `npm run bench`: what things cost on this machine, from one run. Fails when a figure misses its goal. `--peer human` compares with
 * @vladmandic/human as well, for which npm needs its registry. `--only` takes some parts: vision, decision, gallery, journal.
 */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchDecision, decisionInWords } from './decision.ts';
import { benchGallery, galleryInWords } from './gallery.ts';
import { benchJournal, journalInWords } from './journal.ts';
import { benchPeer, FASTER_MIN, peerInWords } from './peer.ts';
import { benchVision, RATIO_MAX, visionInWords } from './vision.ts';

const { values } = parseArgs({
  options: { peer: { type: 'string' }, only: { type: 'string', multiple: true, default: [] } },
});
if (values.peer !== undefined && values.peer !== 'human') {
  throw new Error(`--peer ${values.peer}: only human can be compared with`);
}
const wanted = (part: string) => values.only.length === 0 || values.only.includes(part);
const missed: string[] = [];

const memoryGiB = Math.round(totalmem() / 2 ** 30);
console.log(
  `Kaopass on ${cpus()[0]?.model ?? 'an unknown processor'}, ${availableParallelism()} cores, ${memoryGiB} GiB, Node.js ${process.version}. Ratios are from one run: other work on the machine makes all times longer, and ratios less so.`,
);
if (wanted('vision')) {
  const vision = await benchVision();
  console.log(visionInWords(vision));
  if (!(vision.ratio <= RATIO_MAX)) {
    missed.push(
      `the vision pipeline takes ${vision.ratio.toFixed(3)} times its models' own runs, more than ${RATIO_MAX}`,
    );
  }
}
if (values.peer) {
  const peer = await benchPeer();
  console.log(peerInWords(peer));
  if ('faster' in peer && !(peer.faster >= FASTER_MIN)) {
    missed.push(`the vision pipeline is ${peer.faster.toFixed(1)} times as fast as its peer, less than ${FASTER_MIN}`);
  }
}
if (wanted('decision')) console.log(decisionInWords(await benchDecision()));
if (wanted('gallery')) {
  const gallery = await benchGallery();
  console.log(galleryInWords(gallery));
  for (const { people, wrong } of gallery.sizes) {
    if (wrong > 0) missed.push(`${wrong} searches among ${people} people answered otherwise than the float scan`);
  }
}
if (wanted('journal')) console.log(journalInWords(await benchJournal()));
for (const what of missed) console.error(`missed: ${what}`);
if (missed.length > 0) process.exitCode = 1;
