/** What a receipt says, in the customer's language: words and figures, without any layout. */
import type { Language, Money, Service } from '../../src-contract/primitives.ts';
import type { Receipt } from './receipt.ts';

interface ReceiptRow {
  readonly kind: 'item' | 'detail' | 'total' | 'rule';
  readonly left: string;
  readonly right: string;
}

const TIME_ZONE = 'Asia/Tokyo';
const LOCALES = { ja: 'ja-JP', en: 'en-GB' } as const satisfies Record<Language, string>;

const WORDS = {
  ja: {
    titles: {
      enrol: 'お顔の登録',
      deposit: 'お預け入れ',
      withdraw: 'お引き出し',
      transfer: 'お振り込み',
      balance: '残高照会',
      purchase: 'お買い上げ',
      'opt-out': 'お顔の登録の取り消し',
    },
    suffix: ' ご利用明細票',
    amounts: {
      enrol: '',
      deposit: 'お預け入れ金額',
      withdraw: 'お引き出し金額',
      transfer: 'お振り込み金額',
      balance: '',
      purchase: '合計',
      'opt-out': '',
    },
    balance: 'お取引後残高',
    available: '残高',
    account: '口座番号',
    payee: 'お振り込み先口座',
    reference: '取扱番号',
    terminal: '取扱端末',
    each: (price: string, quantity: number) => `${price} × ${quantity}点`,
    standIn: '通信できないため、端末の限度内で承認しました。口座への記帳は後ほど行われます。',
    demonstration: 'デモンストレーション用です。実際の取引ではありません。',
    thanks: 'ご利用ありがとうございました。',
  },
  en: {
    titles: {
      enrol: 'FACE REGISTRATION',
      deposit: 'DEPOSIT',
      withdraw: 'WITHDRAWAL',
      transfer: 'TRANSFER',
      balance: 'BALANCE',
      purchase: 'PURCHASE',
      'opt-out': 'FACE REMOVED',
    },
    suffix: '',
    amounts: {
      enrol: '',
      deposit: 'Deposited',
      withdraw: 'Paid out',
      transfer: 'Transferred',
      balance: '',
      purchase: 'Total',
      'opt-out': '',
    },
    balance: 'Balance',
    available: 'Available',
    account: 'Account',
    payee: 'Paid to account',
    reference: 'Reference',
    terminal: 'Terminal',
    each: (price: string, quantity: number) => `${quantity} x ${price}`,
    standIn: 'The bank could not be reached. Approved within the terminal limit; it will be booked later.',
    demonstration: 'Demonstration only. Not a real transaction.',
    thanks: 'Thank you.',
  },
} as const satisfies Record<Language, { titles: Record<Service, string> } & Record<string, unknown>>;

/** ISO 4217 amount in the language's own way: ￥30,000 in Japanese, ¥30,000 in English. */
export function formatMoney(value: Money, language: Language): string {
  const format = new Intl.NumberFormat(LOCALES[language], {
    style: 'currency',
    currency: value.currency,
    // English writes JP¥ outside Japan; every receipt is printed in Japan.
    currencyDisplay: 'narrowSymbol',
  });
  const { maximumFractionDigits = 0 } = format.resolvedOptions();
  return format.format(value.amountMinor / 10 ** maximumFractionDigits);
}

/** The last characters of a UUIDv7 are random: enough for a clerk to find a transaction of one terminal and one day. */
export function shortReference(transactionId: string): string {
  return transactionId.slice(-8).toUpperCase();
}

export interface ReceiptWords {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly ReceiptRow[];
  readonly notices: readonly string[];
}

export function receiptWords(receipt: Receipt): ReceiptWords {
  const words = WORDS[receipt.language];
  const money = (value: Money) => formatMoney(value, receipt.language);
  const at = new Intl.DateTimeFormat(LOCALES[receipt.language], {
    timeZone: TIME_ZONE,
    year: 'numeric',
    month: receipt.language === 'ja' ? 'long' : 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(receipt.at);

  const rows: ReceiptRow[] = [];
  for (const line of receipt.lines) {
    const total = { ...line.unitPrice, amountMinor: line.unitPrice.amountMinor * line.quantity } as Money;
    rows.push({ kind: 'item', left: line.names[receipt.language] ?? '', right: money(total) });
    if (line.quantity > 1) {
      rows.push({ kind: 'detail', left: `  ${words.each(money(line.unitPrice), line.quantity)}`, right: '' });
    }
  }
  if (receipt.lines.length > 0) rows.push({ kind: 'rule', left: '', right: '' });
  if (receipt.amount) rows.push({ kind: 'total', left: words.amounts[receipt.service], right: money(receipt.amount) });
  if (receipt.payeeEnding) rows.push({ kind: 'item', left: words.payee, right: `**** ${receipt.payeeEnding}` });
  if (receipt.balance) {
    const kind = receipt.amount ? 'item' : 'total';
    rows.push({ kind, left: receipt.amount ? words.balance : words.available, right: money(receipt.balance) });
  }
  if (receipt.accountEnding) rows.push({ kind: 'item', left: words.account, right: `**** ${receipt.accountEnding}` });
  rows.push({ kind: 'detail', left: words.reference, right: shortReference(receipt.transactionId) });

  return {
    title: `${words.titles[receipt.service]}${words.suffix}`,
    header: [at, `${words.terminal} ${receipt.terminalName}`],
    rows,
    notices: [
      ...(receipt.standIn ? [words.standIn] : []),
      ...(receipt.demonstration ? [words.demonstration] : []),
      words.thanks,
    ],
  };
}
