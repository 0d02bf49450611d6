/** Views of every screen and state of the contract, each parsed by it, so that a fixture the terminal could not send fails. */
import { MinorUnits, money } from '../../src-contract/primitives.ts';
import { type IntentKind, type Screen, SorryCode, View } from '../../src-contract/screen.ts';

export interface Fixture {
  /** Unique; also the screenshot's name. */
  readonly name: string;
  readonly view: View;
}

const ALWAYS: readonly IntentKind[] = ['set-language', 'report-camera'];
const yen = (amount: number) => MinorUnits.parse(amount);
const uuid = (last: number) => `019aa000-0000-7000-8000-${String(last).padStart(12, '0')}`;

interface Around {
  readonly profile?: View['terminal']['profile'];
  readonly online?: boolean;
  readonly camera?: View['camera'];
  readonly timeout?: View['timeout'];
}

function fixture(name: string, screen: Screen, offers: readonly IntentKind[], around: Around = {}): Fixture {
  return {
    name,
    view: View.parse({
      revision: 1,
      at: 1_760_000_000_000,
      language: 'ja',
      terminal: {
        name: '本店 ATM 1',
        profile: around.profile ?? 'atm',
        demonstration: true,
        online: around.online ?? true,
      },
      screen,
      offers: [...offers, ...ALWAYS],
      timeout: around.timeout ?? null,
      camera: around.camera ?? null,
    }),
  };
}

/** A wall, and nobody in front of it: the preview has a picture without any file. */
export const EMPTY_SCENE: View['camera'] = { source: { kind: 'scene', background: '#8794a8', layers: [] } };

const CONSENT: Extract<Screen, { name: 'consent' }>['consent'] = {
  version: '2026-10',
  texts: {
    ja: {
      title: 'お顔の登録についての同意',
      paragraphs: [
        '当行は、ご本人さまの確認のために、お客さまのお顔の特徴を数値にした「テンプレート」を作成し、暗号化して保管します。お顔の写真や映像は保存しません。',
        'テンプレートは、当行の端末でのお取引の際にご本人さまを確認する目的にのみ使用します。第三者に提供することはありません。',
        '登録はお客さまの自由です。登録されない場合も、窓口などでこれまでどおりお取引いただけます。',
        '登録はいつでも取り消すことができます。お取り消しの際は、テンプレートをすべての端末から消去し、消去の記録をお客さまにお知らせします。',
        'ご利用の記録は、法令に定められた期間保管します。記録にお顔の映像やテンプレートは含まれません。',
        'お顔が似ているなどの理由により、暗証番号の入力をお願いする場合があります。',
      ],
    },
    en: {
      title: 'Consent to registering your face',
      paragraphs: [
        'To confirm who you are, the bank turns the features of your face into numbers, a “template”, and keeps it encrypted. No photo or video of you is stored.',
        'The template is used only to confirm that it is you at the bank’s own terminals. It is not given to anyone else.',
        'Registering is your choice. If you do not register, you can go on using our counters as before.',
        'You can withdraw your consent at any time. The template is then erased from every terminal, and you are told when that is done.',
        'Records of your transactions are kept as long as the law asks. They contain no picture and no template.',
        'If two people look very much alike, we may ask for your PIN as well.',
      ],
    },
  },
};

const BASKET = [
  { names: { ja: '鮭おにぎり', en: 'Salmon rice ball' }, price: 180, quantity: 2 },
  { names: { ja: '緑茶 500ml', en: 'Green tea 500 ml' }, price: 150, quantity: 1 },
  { names: { ja: '幕の内弁当', en: 'Makunouchi bento' }, price: 650, quantity: 1 },
  {
    names: {
      ja: '北海道産生乳使用 濃厚バニラアイスクリーム 大容量ファミリーパック',
      en: 'Rich vanilla ice cream with milk from Hokkaido, family size',
    },
    price: 1280,
    quantity: 12,
  },
].map(({ names, price, quantity }, at) => ({ lineId: uuid(at + 1), names, unitPrice: money(price), quantity }));
const total = (lines: typeof BASKET) =>
  money(lines.reduce((sum, line) => sum + line.unitPrice.amountMinor * line.quantity, 0));

const NOTES = [
  { denominationMinor: yen(10_000), count: 2 },
  { denominationMinor: yen(5_000), count: 1 },
  { denominationMinor: yen(1_000), count: 5 },
];
const FACE = { x: 0.36, y: 0.22, width: 0.27, height: 0.48 };
const look = (more: Partial<Extract<Screen, { name: 'look' }>>): Screen => ({
  name: 'look',
  service: 'withdraw',
  hint: null,
  progress: 0,
  face: null,
  amount: null,
  ...more,
});
const challenge = (more: Partial<Extract<Screen, { name: 'challenge' }>>): Screen => ({
  name: 'challenge',
  service: 'withdraw',
  amount: money(200_000),
  demand: null,
  hint: null,
  progress: 0.35,
  remaining: null,
  step: { number: 1, of: 2 },
  problem: null,
  colour: null,
  face: FACE,
  ...more,
});
const pin = (more: Partial<Extract<Screen, { name: 'pin' }>>): Screen => ({
  name: 'pin',
  purpose: 'verify',
  digits: 0,
  digitsMin: 4,
  digitsMax: 4,
  problem: null,
  attemptsLeft: null,
  amount: null,
  ...more,
});
const amount = (more: Partial<Extract<Screen, { name: 'amount' }>>): Screen => ({
  name: 'amount',
  choices: [1_000, 5_000, 10_000, 20_000, 30_000, 50_000, 100_000].map(yen),
  stepMinor: yen(1_000),
  maxMinor: yen(100_000),
  refused: null,
  ...more,
});
const services = (...closed: string[]): Extract<Screen, { name: 'menu' }>['services'] =>
  (['withdraw', 'deposit', 'transfer', 'balance', 'enrol', 'opt-out'] as const).map((service) => ({
    service,
    available: !closed.includes(service),
    reason: closed.includes(service) ? 'offline-service' : null,
  }));

const person = { timeout: { remainingMs: 45_000, warnMs: 15_000 } } as const;
const seen = { ...person, camera: EMPTY_SCENE } as const;
const shop = { ...person, profile: 'checkout' } as const;

/** Codes whose visit goes on to "try again"; for the rest the way on is the start. */
const RETRIED: ReadonlySet<SorryCode> = new Set([
  'nobody',
  'several-faces',
  'poor-quality',
  'no-face',
  'presentation-attack',
  'challenge-failed',
  'failed',
]);
/** Codes that say what would work, or that no money is lost. */
const SORRY_MORE: Readonly<Partial<Record<SorryCode, Partial<Extract<Screen, { name: 'sorry' }>>>>> = {
  'cannot-make-amount': { possibleMinor: [yen(10_000), yen(20_000)] },
  'offline-limit': { possibleMinor: [yen(1_000)] },
  'cash-jammed': { madeWhole: money(20_000) },
  'transfer-open': { service: 'transfer', reference: '5F3A09C1' },
};

export const FIXTURES: readonly Fixture[] = [
  fixture('starting', { name: 'starting' }, []),
  fixture('attract', { name: 'attract' }, ['begin']),
  fixture('attract-checkout', { name: 'attract' }, ['begin'], { profile: 'checkout' }),
  fixture('attract-checkout-opt-out', { name: 'attract' }, ['begin', 'choose-service'], { profile: 'checkout' }),
  fixture('attract-offline', { name: 'attract' }, ['begin'], { online: false }),
  fixture('menu', { name: 'menu', services: services() }, ['choose-service', 'cancel', 'extend'], person),
  fixture(
    'menu-offline',
    { name: 'menu', services: services('deposit', 'withdraw', 'transfer', 'balance', 'enrol') },
    ['choose-service', 'cancel', 'extend'],
    { ...person, online: false },
  ),
  fixture(
    'menu-full',
    {
      name: 'menu',
      services: services().map((one) =>
        one.service === 'deposit' ? { ...one, available: false, reason: 'machine-full' } : one,
      ),
    },
    ['choose-service', 'cancel', 'extend'],
    person,
  ),
  fixture(
    'menu-every-service',
    {
      name: 'menu',
      services: [...services(), { service: 'purchase', available: false, reason: 'device-unavailable' }],
    },
    ['choose-service', 'cancel', 'extend'],
    person,
  ),
  fixture('consent', { name: 'consent', consent: CONSENT }, ['answer-consent', 'cancel', 'extend'], person),
  fixture('look-nobody', look({ hint: 'nobody-there' }), ['cancel'], seen),
  fixture('look-begin', look({}), ['cancel'], seen),
  fixture('look-closer', look({ hint: 'come-closer', progress: 0.2, face: FACE }), ['cancel'], seen),
  fixture('look-light', look({ hint: 'more-light', progress: 0.2, face: FACE }), ['cancel'], seen),
  fixture('look-hold', look({ hint: 'hold-it', progress: 0.7, face: FACE }), ['cancel'], seen),
  fixture('look-enrol', look({ service: 'enrol', hint: 'move-left', face: FACE }), ['cancel'], seen),
  fixture(
    'look-pay',
    look({ service: 'purchase', hint: 'hold-it', progress: 0.5, face: FACE, amount: money(1_280) }),
    ['cancel'],
    { ...seen, profile: 'checkout' },
  ),
  fixture('amount', amount({}), ['choose-amount', 'cancel', 'extend'], person),
  fixture(
    'amount-many',
    amount({ choices: Array.from({ length: 12 }, (_, at) => yen((at + 1) * 5_000)), maxMinor: yen(1_000_000) }),
    ['choose-amount', 'cancel', 'extend'],
    person,
  ),
  fixture(
    'amount-refused',
    amount({
      refused: {
        askedMinor: yen(7_000),
        possibleMinor: [yen(5_000), yen(10_000), yen(20_000), yen(100_000)],
        reason: 'cannot-make-amount',
      },
    }),
    ['choose-amount', 'cancel', 'extend'],
    person,
  ),
  fixture('pin', pin({ amount: money(20_000) }), ['cancel'], person),
  fixture('pin-digits', pin({ digits: 3, amount: money(20_000) }), ['cancel'], person),
  fixture('pin-wrong', pin({ problem: 'wrong', attemptsLeft: 2, amount: money(20_000) }), ['cancel'], person),
  fixture('pin-last', pin({ problem: 'wrong', attemptsLeft: 1 }), ['cancel'], person),
  fixture('pin-choose', pin({ purpose: 'choose', digits: 2, digitsMax: 8 }), ['cancel'], person),
  fixture('pin-too-simple', pin({ purpose: 'choose', problem: 'too-simple' }), ['cancel'], person),
  fixture('pin-repeat', pin({ purpose: 'repeat', digits: 4, digitsMax: 12 }), ['cancel'], person),
  fixture('pin-mismatch', pin({ purpose: 'choose', problem: 'mismatch' }), ['cancel'], person),
  ...(
    [
      'asking-bank',
      'checking-machine',
      'counting',
      'dispensing',
      'storing',
      'returning',
      'printing',
      'remembering',
      'forgetting',
      'transferring',
    ] as const
  ).map((what) => fixture(`wait-${what}`, { name: 'wait', what }, [])),
  ...([null, 'unknown', 'closed', 'own-account'] as const).map((problem) =>
    fixture(
      problem === null ? 'payee' : `payee-${problem}`,
      { name: 'payee', amount: money(8_000), entered: problem === null ? '' : '0123456789', problem },
      ['enter-payee', 'correct', 'cancel', 'extend'],
      person,
    ),
  ),
  ...([null, 'unconfirmed'] as const).map((problem) =>
    fixture(
      problem === null ? 'claim' : `claim-${problem}`,
      {
        name: 'claim',
        service: 'withdraw',
        amount: problem === null ? money(20_000) : null,
        entered: problem === null ? '' : '0123456789',
        problem,
      },
      ['enter-claim', 'cancel', 'extend'],
      person,
    ),
  ),
  ...(['nobody', 'look-alikes'] as const).map((code) =>
    fixture(
      `sorry-${code}-claim`,
      { name: 'sorry', service: 'withdraw', code, possibleMinor: [], madeWhole: null, reference: null },
      ['claim-identity', 'retry', 'cancel', 'extend'],
      person,
    ),
  ),
  ...(['山＊ 健＊＊', 'F*** D***', null] as const).map((name, at) =>
    fixture(
      `confirm-transfer${['', '-latin', '-no-name'][at]}`,
      {
        name: 'confirm-transfer',
        payee: { accountNumber: '0123456789', name },
        amount: money(8_000),
        remains: money(1_226_567),
      },
      ['confirm', 'correct', 'cancel', 'extend'],
      person,
    ),
  ),
  fixture(
    'insert-cash',
    { name: 'insert-cash', maxAmount: money(1_000_000), maxNotes: null, fullFor: [], problem: null },
    ['confirm', 'cancel', 'extend'],
    person,
  ),
  ...([[], [1_000, 10_000]] as const).map((fullFor) =>
    fixture(
      `insert-cash-${fullFor.length > 0 ? 'full-for' : 'nearly-full'}`,
      {
        name: 'insert-cash',
        maxAmount: money(1_000_000),
        maxNotes: 12,
        fullFor: fullFor.map((kind) => MinorUnits.parse(kind)),
        problem: null,
      },
      ['confirm', 'cancel', 'extend'],
      person,
    ),
  ),
  ...(['refused-notes', 'no-room', 'nothing-inserted'] as const).map((problem) =>
    fixture(
      `insert-cash-${problem}`,
      {
        name: 'insert-cash',
        maxAmount: money(1_000_000),
        maxNotes: problem === 'no-room' ? 12 : null,
        fullFor: [],
        problem,
      },
      ['confirm', 'cancel', 'extend'],
      person,
    ),
  ),
  fixture(
    'confirm-deposit',
    { name: 'confirm-deposit', notes: NOTES, amount: money(30_000), refusedNotes: 0 },
    ['confirm', 'cancel', 'extend'],
    person,
  ),
  fixture(
    'confirm-deposit-refused',
    { name: 'confirm-deposit', notes: NOTES, amount: money(30_000), refusedNotes: 2 },
    ['confirm', 'cancel', 'extend'],
    person,
  ),
  fixture('take-cash', { name: 'take-cash', amount: money(30_000), notes: NOTES }, []),
  fixture('take-returned', { name: 'take-returned', which: 'all', refusedNotes: 0 }, []),
  fixture('take-returned-with-refused', { name: 'take-returned', which: 'all', refusedNotes: 3 }, []),
  fixture('take-refused', { name: 'take-returned', which: 'refused', refusedNotes: 2 }, ['cancel']),
  fixture(
    'balance',
    { name: 'balance', accountEnding: '4821', available: money(1_234_567), ledger: money(1_254_567) },
    ['confirm', 'cancel', 'extend'],
    person,
  ),
  fixture('opt-out', { name: 'opt-out' }, ['confirm', 'cancel', 'extend'], person),
  fixture('opt-out-offline', { name: 'opt-out' }, ['confirm', 'cancel', 'extend'], { ...shop, online: false }),
  fixture(
    'receipt',
    { name: 'receipt', service: 'withdraw', amount: money(20_000), balance: money(1_214_567) },
    ['choose-receipt', 'extend'],
    person,
  ),
  fixture(
    'receipt-transfer',
    { name: 'receipt', service: 'transfer', amount: money(8_000), balance: money(1_226_567) },
    ['choose-receipt', 'extend'],
    person,
  ),
  fixture('receipt-purchase', { name: 'receipt', service: 'purchase', amount: money(1_280), balance: null }, [
    'choose-receipt',
  ]),
  fixture(
    'done-withdraw',
    {
      name: 'done',
      service: 'withdraw',
      amount: money(20_000),
      balance: money(1_214_567),
      receipt: 'printed',
      standIn: false,
    },
    ['confirm'],
  ),
  fixture(
    'done-deposit',
    {
      name: 'done',
      service: 'deposit',
      amount: money(30_000),
      balance: money(1_244_567),
      receipt: 'unavailable',
      standIn: false,
    },
    ['confirm'],
  ),
  fixture(
    'done-transfer',
    {
      name: 'done',
      service: 'transfer',
      amount: money(8_000),
      balance: money(1_226_567),
      receipt: 'printed',
      standIn: false,
    },
    ['confirm'],
  ),
  fixture(
    'done-enrol',
    {
      ...{ name: 'done', service: 'enrol', amount: null, balance: null, receipt: 'none', standIn: false },
      accountNumber: '0123456789',
    },
    ['confirm', 'extend'],
    person,
  ),
  fixture(
    'done-enrol-look-alike',
    {
      ...{ name: 'done', service: 'enrol', amount: null, balance: null, receipt: 'none', standIn: false },
      ...{ lookAlike: true, accountNumber: '0123456789' },
    },
    ['confirm', 'extend'],
    person,
  ),
  fixture(
    'done-opt-out',
    { name: 'done', service: 'opt-out', amount: null, balance: null, receipt: 'none', standIn: false },
    ['confirm'],
  ),
  fixture('challenge-settle', challenge({ hint: 'hold-it' }), ['cancel'], seen),
  fixture('challenge-again', challenge({ problem: 'wrong', hint: 'look-straight' }), ['cancel'], seen),
  ...(['turn-left', 'turn-right', 'nod', 'blink', 'mouth'] as const).map((demand) =>
    fixture(`challenge-${demand}`, challenge({ demand, remaining: 0.6 }), ['decline-challenge', 'cancel'], seen),
  ),
  fixture(
    'challenge-light',
    challenge({ demand: 'light', colour: '#4d7dff', step: { number: 1, of: 1 } }),
    ['decline-challenge', 'cancel'],
    seen,
  ),
  fixture('look-opt-out', look({ service: 'opt-out', hint: 'hold-it', progress: 0.5, face: FACE }), ['cancel'], seen),
  fixture(
    'done-balance',
    { name: 'done', service: 'balance', amount: null, balance: null, receipt: 'none', standIn: false },
    ['confirm'],
  ),
  fixture(
    'done-purchase-stand-in',
    { name: 'done', service: 'purchase', amount: money(800), balance: null, receipt: 'declined', standIn: true },
    ['confirm'],
    { profile: 'checkout', online: false },
  ),
  ...SorryCode.options.map((code) =>
    fixture(
      `sorry-${code}`,
      {
        name: 'sorry',
        service: 'withdraw',
        code,
        possibleMinor: [],
        madeWhole: null,
        reference: null,
        ...SORRY_MORE[code],
      },
      RETRIED.has(code) ? ['retry', 'cancel', 'extend'] : ['cancel', 'extend'],
      person,
    ),
  ),
  ...(
    [
      'starting-failed',
      'suspect',
      'not-activated',
      'policy-expired',
      'clock-wrong',
      'storage',
      'devices',
      'camera',
    ] as const
  ).map((reason) => fixture(`out-of-service-${reason}`, { name: 'out-of-service', reason }, [])),
  fixture('basket-empty', { name: 'basket', lines: [], total: money(0), problem: null }, ['cancel', 'extend'], shop),
  fixture(
    'basket-unknown',
    { name: 'basket', lines: [], total: money(0), problem: 'unknown-barcode' },
    ['cancel', 'extend'],
    shop,
  ),
  fixture(
    'basket',
    { name: 'basket', lines: BASKET, total: total(BASKET), problem: null },
    ['pay', 'remove-line', 'cancel', 'extend'],
    shop,
  ),
  fixture(
    'basket-full',
    {
      name: 'basket',
      lines: Array.from({ length: 25 }, (_, at) => ({ ...BASKET[at % BASKET.length]!, lineId: uuid(100 + at) })),
      total: money(99_999),
      problem: 'basket-full',
    },
    ['pay', 'remove-line', 'cancel', 'extend'],
    { ...shop, online: false },
  ),
];
