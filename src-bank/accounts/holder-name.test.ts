import { expect, it } from 'vitest';
import { maskName } from './holder-name.ts';

it.each([
  ['山田 太郎', '山＊ 太＊'],
  ['山田　健太郎', '山＊ 健＊＊'],
  ['ヤマダ タロウ', 'ヤ＊＊ タ＊＊'],
  ['ﾔﾏﾀﾞ ﾀﾛｳ', 'ヤ＊＊ タ＊＊'],
  ['がくぶち', 'が＊＊＊'],
  ['Franck Dubois', 'F*** D***'],
  ['Jo Li', 'J* L*'],
  ['  Maria   da  Silva ', 'M*** d* S***'],
  ['Jean-Luc', 'J***'],
  ['Émile Zola', 'É*** Z***'],
  ['株式会社顔パス', '株＊＊＊'],
])('shows %s to a payer as %s', (name, shown) => {
  expect(maskName(name)).toBe(shown);
});

it('never shows a name whole, however short', () => {
  expect(maskName('李 明')).toBe('李＊ 明＊');
  expect(maskName('X')).toBe('X*');
});

it('does not tell how long a long name is', () => {
  expect(maskName('Bob Oldenburg')).toBe('B** O***');
  expect(maskName(`B${'o'.repeat(40)}`)).toBe('B***');
});
