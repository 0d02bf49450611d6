/** Money as people read it: ja 30,000円, en ¥30,000. */
import type { Language, Money } from '../../src-contract/primitives.ts';
import { useView } from '../terminal-context.ts';
import { LANGUAGES } from './languages.ts';

export function formatMoney(amount: Money, language: Language): string {
  const format = new Intl.NumberFormat(LANGUAGES[language].locale, {
    style: 'currency',
    currency: amount.currency,
    // Japanese cash machines write 30,000円; English readers know the sign better than the name.
    currencyDisplay: language === 'ja' ? 'name' : 'narrowSymbol',
  });
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 0;
  return format.format(amount.amountMinor / 10 ** decimals).replace(/\s+円$/, '円');
}

/** The currency of amounts that a view gives as bare minor units: notes, choices and steps are the machine's own cash. */
const CASH_CURRENCY = 'JPY';

/** Formats in the language of the current view. */
export function useMoney() {
  const { language } = useView();
  return {
    money: (amount: Money) => formatMoney(amount, language),
    minor: (amountMinor: Money['amountMinor']) => formatMoney({ amountMinor, currency: CASH_CURRENCY }, language),
  };
}
