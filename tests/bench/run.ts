/** `npm run bench`: what things cost on this machine, from one run. Fails when the vision pipeline misses its figure. */
import { benchGallery, galleryInWords } from './gallery.ts';
import { benchJournal, journalInWords } from './journal.ts';
import { benchVision, RATIO_MAX } from './vision.ts';

const vision = await benchVision();
const gallery = await benchGallery();
const journal = await benchJournal();
console.log(galleryInWords(gallery));
console.log(journalInWords(journal));
if (!(vision.ratio <= RATIO_MAX)) {
  console.error(
    `the vision pipeline takes ${vision.ratio.toFixed(2)} times its models' own runs, more than ${RATIO_MAX}`,
  );
  process.exitCode = 1;
}
