/**
 * A holder's name as the bank shows it to a payer: enough to see that a number was mistyped, too little to learn who somebody is.
 * The first character of each part stays, a star for each further one follows, one at least and three at most, so that neither
 * a short name shows whole nor a long one how long it is. 山田 太郎 → 山＊ 太＊, Franck Dubois → F*** D***.
 */

const STARS_MIN = 1;
const STARS_MAX = 3;
/** Scripts written in full-width characters take a star of the same width. */
const FULL_WIDTH = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー]/u;
/** What a reader takes for one character, such as a kana with its mark. */
const characters = new Intl.Segmenter('ja', { granularity: 'grapheme' });

export function maskName(name: string): string {
  return name
    .normalize('NFKC')
    .split(/\s+/u)
    .filter((part) => part !== '')
    .map(maskPart)
    .join(' ');
}

function maskPart(part: string): string {
  const [first = '', ...rest] = [...characters.segment(part)].map(({ segment }) => segment);
  const stars = Math.min(STARS_MAX, Math.max(STARS_MIN, rest.length));
  return first + (FULL_WIDTH.test(first) ? '＊' : '*').repeat(stars);
}
