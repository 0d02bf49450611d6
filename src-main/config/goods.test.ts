import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadGoods } from './goods.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-goods-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const TEA = {
  barcode: '4900000000016',
  names: { ja: '緑茶', en: 'Green tea' },
  price: { amountMinor: 150, currency: 'JPY' },
};
function file(content: unknown): string {
  const path = join(dir, 'goods.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('goods', () => {
  it('are found by their barcode', () => {
    const goods = loadGoods(file([TEA, { ...TEA, barcode: '49123456' }]));
    expect([...goods.keys()]).toEqual(['4900000000016', '49123456']);
    expect(goods.get('4900000000016')).toEqual(TEA);
  });

  it('of the demonstration are complete: each has a name in both languages, and a price', () => {
    const goods = loadGoods(fileURLToPath(new URL('goods.demonstration.json', import.meta.url)));
    expect(goods.size).toBeGreaterThan(0);
    for (const { names, price } of goods.values()) {
      expect(Object.keys(names).sort()).toEqual(['en', 'ja']);
      expect(price.amountMinor).toBeGreaterThan(0);
    }
  });

  it.each<[string, unknown, string]>([
    ['no list', TEA, 'the top level: '],
    ['a barcode with letters', [{ ...TEA, barcode: 'TEA-0001' }], '0.barcode: a GTIN of 8 to 14 digits'],
    ['a barcode too short', [TEA, { ...TEA, barcode: '49' }], '1.barcode: a GTIN of 8 to 14 digits'],
    ['a name missing in one language', [{ ...TEA, names: { en: 'Green tea' } }], '0.names.ja: '],
    ['an empty name', [{ ...TEA, names: { ja: '', en: 'Green tea' } }], '0.names.ja: '],
    ['half a yen', [{ ...TEA, price: { amountMinor: 0.5, currency: 'JPY' } }], '0.price.amountMinor: '],
    ['no currency', [{ ...TEA, price: { amountMinor: 150 } }], '0.price.currency: '],
    ['an unknown key', [{ ...TEA, colour: 'green' }], 'unknown key "colour" at 0'],
    ['no JSON', '[', 'JSON'],
  ])('with %s are refused, naming file and field', (_, content, says) => {
    const path = file(content);
    expect(() => loadGoods(path)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(says) }),
    );
    expect(() => loadGoods(path)).toThrowError(path);
  });

  it('that share a barcode are refused: one of them would have the other’s price', () => {
    const path = file([TEA, { ...TEA, price: { amountMinor: 15, currency: 'JPY' } }]);
    expect(() => loadGoods(path)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(TEA.barcode) }),
    );
  });

  it('whose file is missing are refused, naming it', () => {
    const path = join(dir, 'missing.json');
    expect(() => loadGoods(path)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(path) }),
    );
  });
});
