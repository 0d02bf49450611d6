/** `npm run bench`: what things cost on this machine, from one run. Fails when the vision pipeline misses its figure. */
import { benchGallery } from './gallery.ts';
import { benchJournal, journalInWords } from './journal.ts';
import { benchVision, RATIO_MAX } from './vision.ts';

const vision = await benchVision();
const gallery = await benchGallery();
const journal = await benchJournal();
const ms = (value: number) => `${value.toFixed(1).padStart(8)} ms`;
console.log(`
1:N search over ${gallery.templates.toLocaleString('en')} templates of ${gallery.dimensions} dimensions (medians), exact: ${gallery.wrong} wrong answers
  somebody known         ${ms(gallery.knownMs)}
  a stranger             ${ms(gallery.strangerMs)}
  one float32 pass       ${ms(gallery.floatPassMs)}
  ratio (stranger)       ${gallery.ratioToFloatPass.toFixed(2).padStart(8)}
  vectors in memory      ${gallery.memoryMiB.toFixed(0).padStart(8)} MiB
  protecting matrix made ${ms(gallery.matrixMs)}`);
console.log(journalInWords(journal));
if (!(vision.ratio <= RATIO_MAX)) {
  console.error(
    `the vision pipeline takes ${vision.ratio.toFixed(2)} times its models' own runs, more than ${RATIO_MAX}`,
  );
  process.exitCode = 1;
}
