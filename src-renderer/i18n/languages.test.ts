import { describe, expect, it } from 'vitest';
import { Language, money } from '../../src-contract/primitives.ts';
import { LookHint, SorryCode } from '../../src-contract/screen.ts';
import { LANGUAGES } from './languages.ts';
import { formatMoney } from './money.ts';

/** Every text with its path. */
function texts(tree: object, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value] as [string, string]] : texts(value, `${path}${key}.`),
  );
}
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

/** "none" and "declined": nothing is said about a receipt nobody wanted. */
const SILENT = new Set(['done.receipt.declined', 'done.receipt.none']);

describe.each(Language.options)('the texts in %s', (language) => {
  const mine = texts(LANGUAGES[language].texts);

  it('leave nothing unsaid', () => {
    expect(mine.filter(([path, text]) => text.trim() === '' && !SILENT.has(path))).toEqual([]);
  });

  it('are filled in with the same values as the Japanese', () => {
    const japanese = Object.fromEntries(texts(LANGUAGES.ja.texts));
    for (const [path, text] of mine) {
      expect([path, placeholders(text)]).toEqual([path, placeholders(japanese[path] ?? '')]);
    }
  });

  it('have a sentence for every sorry code and every hint of the contract', () => {
    expect(Object.keys(LANGUAGES[language].texts.sorry.texts).sort()).toEqual([...SorryCode.options].sort());
    const { none, ...hints } = LANGUAGES[language].texts.look.hints;
    expect(Object.keys(hints).sort()).toEqual([...LookHint.options].sort());
    expect(none).not.toBe('');
  });

  it('never tell somebody holding up a picture what gave it away', () => {
    const { title, body } = LANGUAGES[language].texts.sorry.texts['presentation-attack'];
    expect(title + body).not.toMatch(/attack|spoof|photo|picture|fake|screen|写真|画像|偽|なりすまし|不正/i);
  });
});

describe('money', () => {
  it('reads as on a Japanese cash machine, and as English readers expect', () => {
    expect(formatMoney(money(30_000), 'ja')).toBe('30,000円');
    expect(formatMoney(money(30_000), 'en')).toBe('¥30,000');
    expect(formatMoney(money(0), 'en')).toBe('¥0');
  });

  it('respects the minor units of its currency', () => {
    expect(formatMoney(money(1_234, 'USD'), 'en')).toBe('$12.34');
  });
});
