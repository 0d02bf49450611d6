/**
 * What the terminal shows and what a person can answer. The terminal sends whole views; the screen process draws them and
 * sends intents. The screen process is not trusted: an intent is parsed, and refused unless the current view offers it.
 */
import { z } from 'zod';
import { Demand } from './challenge.ts';
import { ConsentText } from './policy.ts';
import { AccountNumber, Language, MinorUnits, Money, Profile, Rate, Service, Uuid, WallTimeMs } from './primitives.ts';

/** Said to the customer while looking for a face, one at a time, the most useful first. */
export const LookHint = z.enum([
  'come-closer',
  'step-back',
  'move-left',
  'move-right',
  'move-up',
  'move-down',
  'look-straight',
  'more-light',
  'less-light',
  'hold-still',
  'one-person-only',
  'nobody-there',
  'hold-it',
]);
export type LookHint = z.infer<typeof LookHint>;

export const NoteCount = z.strictObject({ denominationMinor: MinorUnits, count: z.int().nonnegative() });
export type NoteCount = z.infer<typeof NoteCount>;

/** Why a visit ends without what the customer came for. The sentence for each is in the screen's language files. */
export const SorryCode = z.enum([
  'nobody', // we don't know this face
  'look-alikes', // two people too alike to tell apart
  'several-faces',
  'poor-quality',
  'no-face',
  'presentation-attack', // worded politely: "we could not confirm"
  'already-enrolled',
  'too-many-tries', // this face led to nobody again and again
  'challenge-failed', // what was asked for before the camera was not done
  'claim-unconfirmed', // account number and face were not confirmed together; never says which
  'claim-unavailable', // the bank answers no account numbers for this terminal just now
  'pin-wrong',
  'pin-locked',
  'pin-cancelled',
  'insufficient-funds',
  'over-limit',
  'cannot-make-amount',
  'offline-service', // this service needs the bank, which can't be reached
  'offline-limit', // larger than stand-in allows
  'cash-jammed', // dispenser failed; account made whole
  'cash-not-taken',
  'deposit-failed',
  'notes-kept', // given back, not taken in time, and retracted
  'machine-full', // no unit has room for any note
  'device-unavailable',
  'account-closed',
  'payee-limit', // asked for too many payees
  'transfer-open', // no answer: it was done once, or never will be
  'suspect', // we could not find out what happened; staff will
  'failed', // anything else
]);
export type SorryCode = z.infer<typeof SorryCode>;

/** One line of a checkout's basket. Names come with the goods, in every language of the screen. */
export const BasketLine = z.strictObject({
  lineId: Uuid,
  names: z.record(Language, z.string().max(60)),
  unitPrice: Money,
  quantity: z.int().positive().max(99),
});
export type BasketLine = z.infer<typeof BasketLine>;

const screen = <Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) =>
  z.strictObject({ name: z.literal(name), ...shape });

export const Screen = z.discriminatedUnion('name', [
  screen('starting', {}),
  /** Nobody here: invites. */
  screen('attract', {}),
  screen('menu', {
    services: z
      .array(z.strictObject({ service: Service, available: z.boolean(), reason: SorryCode.nullable() }))
      .max(10),
  }),
  screen('consent', { consent: ConsentText }),
  screen('look', {
    service: Service,
    hint: LookHint.nullable(),
    /** How much of what the decision needs is gathered, 0…1. */
    progress: Rate,
    /** The chosen face as fractions of the frame (not mirrored), null when none. */
    face: z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).nullable(),
    /** The amount this look will pay, at a checkout. */
    amount: Money.nullable(),
  }),
  /** Something is asked of the person before the camera. */
  screen('challenge', {
    service: Service,
    amount: Money.nullable(),
    /** What; null while the face is to come to rest, before anything is asked for. */
    demand: Demand.nullable(),
    hint: LookHint.nullable(),
    /** How much of this step is done, 0…1. */
    progress: Rate,
    /** How much of the time for it is left, 1…0; null where the customer has not to hurry. */
    remaining: Rate.nullable(),
    step: z.strictObject({ number: z.int().positive().max(9), of: z.int().positive().max(9) }),
    /** How the step before went wrong, until the next is asked for. */
    problem: z.enum(['wrong', 'late', 'lost']).nullable(),
    /** What the whole screen shines at the face, a CSS colour; null unless light is asked for. */
    colour: z
      .string()
      .regex(/^#[0-9a-f]{6}$/)
      .nullable(),
    /** As in "look". */
    face: z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).nullable(),
  }),
  screen('amount', {
    /** Amounts offered as buttons, all of which the cassettes can give now. */
    choices: z.array(MinorUnits).max(12),
    /** Own amounts must be a multiple of this. */
    stepMinor: MinorUnits,
    maxMinor: MinorUnits,
    /** Set after an amount that could not be given: what was asked and the nearest amounts that can be. */
    refused: z
      .strictObject({ askedMinor: MinorUnits, possibleMinor: z.array(MinorUnits).max(4), reason: SorryCode })
      .nullable(),
  }),
  screen('pin', {
    purpose: z.enum(['verify', 'choose', 'repeat']),
    /** How many digits were keyed so far; never which. */
    digits: z.int().nonnegative().max(12),
    digitsMin: z.int(),
    digitsMax: z.int(),
    problem: z.enum(['wrong', 'mismatch', 'too-simple']).nullable(),
    attemptsLeft: z.int().nonnegative().nullable(),
    amount: Money.nullable(),
  }),
  screen('wait', {
    what: z.enum([
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
    ]),
  }),
  /** Whom to transfer to: the number of their account, keyed in on this screen. */
  screen('payee', {
    amount: Money,
    /** What was keyed before, to be corrected; empty at first. */
    entered: z.union([AccountNumber, z.literal('')]),
    /** What was wrong with it. */
    problem: z.enum(['unknown', 'closed', 'own-account']).nullable(),
  }),
  /** Who they are, by the number of their account, after a look that did not tell. */
  screen('claim', {
    service: Service,
    amount: Money.nullable(),
    /** What was keyed before, to be corrected; empty at first. */
    entered: z.union([AccountNumber, z.literal('')]),
    /** It was not confirmed: nobody's number, or another face. The two are one to who stands there. */
    problem: z.literal('unconfirmed').nullable(),
  }),
  screen('confirm-transfer', {
    payee: z.strictObject({
      accountNumber: AccountNumber,
      /** Masked by the bank; null when it knows none. */
      name: z.string().max(80).nullable(),
    }),
    amount: Money,
    /** What the customer can still spend afterwards. */
    remains: Money,
  }),
  screen('insert-cash', {
    maxAmount: Money,
    /** Most notes that surely fit now; null where nobody has to know, for the machine holds more than one deposit brings. */
    maxNotes: z.int().positive().nullable(),
    /** Notes it usually takes and has no room for now. */
    fullFor: z.array(MinorUnits).max(10),
    problem: z.enum(['refused-notes', 'no-room', 'nothing-inserted']).nullable(),
  }),
  screen('confirm-deposit', { notes: z.array(NoteCount).max(10), amount: Money, refusedNotes: z.int().nonnegative() }),
  screen('take-cash', { amount: Money, notes: z.array(NoteCount).max(10) }),
  /** Notes put in that are to be taken: all of them, when a deposit is cancelled or fails, or those that were not accepted, before it
   *  goes on. */
  screen('take-returned', { which: z.enum(['all', 'refused']), refusedNotes: z.int().nonnegative() }),
  screen('balance', { accountEnding: z.string().max(4), available: Money, ledger: Money }),
  /** What ends when consent is withdrawn, and what stays; asked before it is done. */
  screen('opt-out', {}),
  screen('receipt', { service: Service, amount: Money, balance: Money.nullable() }),
  screen('done', {
    service: Service,
    amount: Money.nullable(),
    balance: Money.nullable(),
    receipt: z.enum(['printed', 'declined', 'unavailable', 'none']),
    /** Approved by this terminal because the bank could not be asked. */
    standIn: z.boolean(),
    /** True where the customer was enrolled and looks like somebody known: the PIN is always asked for. Absent otherwise. */
    lookAlike: z.literal(true).optional(),
    /** Of the account that was opened with an enrolment, to be noted; absent otherwise. */
    accountNumber: AccountNumber.optional(),
  }),
  screen('sorry', {
    service: Service.nullable(),
    code: SorryCode,
    /** Amounts that would work, for codes where that helps. */
    possibleMinor: z.array(MinorUnits).max(4),
    /** Minor units the customer's account was given back or never charged; null where no money was involved. */
    madeWhole: Money.nullable(),
    /** What to name when asking what became of it; null where everything is said. */
    reference: z.string().max(12).nullable(),
  }),
  screen('out-of-service', {
    reason: z.enum([
      'starting-failed',
      'suspect',
      'not-activated',
      'policy-expired',
      'clock-wrong',
      'storage',
      'devices',
      'camera',
    ]),
  }),
  screen('basket', {
    lines: z.array(BasketLine).max(100),
    total: Money,
    problem: z.enum(['unknown-barcode', 'basket-full']).nullable(),
  }),
]);
export type Screen = z.infer<typeof Screen>;
export type ScreenName = Screen['name'];

/** Something in front of a simulated camera. Positions are fractions of the frame; media come from the terminal itself. */
export const SceneLayer = z.strictObject({
  kind: z.enum(['video', 'image']),
  /** Path on the terminal's own origin, below /footage/. */
  url: z.string().regex(/^\/footage\/[\w.-]+$/),
  startS: z.number().nonnegative().default(0),
  /** A video that stands still at startS. */
  paused: z.boolean().default(false),
  x: z.number().default(0),
  y: z.number().default(0),
  width: z.number().positive().default(1),
  height: z.number().positive().default(1),
  rotationDeg: z.number().default(0),
  /** Slow sway of the whole layer, as of a hand: fraction of the frame and seconds per swing. */
  drift: z
    .strictObject({ amplitude: z.number().min(0).max(0.5), periodS: z.number().positive() })
    .nullable()
    .default(null),
  /** Paper around the picture: fraction of its width, CSS colour. */
  border: z
    .strictObject({ width: z.number().min(0).max(0.5), colour: z.string().max(20) })
    .nullable()
    .default(null),
});
export type SceneLayer = z.infer<typeof SceneLayer>;

/** Where the camera page takes its frames from. */
export const CameraSource = z.discriminatedUnion('kind', [
  /** getUserMedia; label null means the first camera. */
  z.strictObject({ kind: z.literal('device'), label: z.string().max(200).nullable() }),
  z.strictObject({ kind: z.literal('scene'), background: z.string().max(20), layers: z.array(SceneLayer).max(6) }),
]);
export type CameraSource = z.infer<typeof CameraSource>;

export const View = z.strictObject({
  /** One more for every view sent. An intent names the view it answers. */
  revision: z.int().positive(),
  at: WallTimeMs,
  language: Language,
  terminal: z.strictObject({
    name: z.string().max(60),
    profile: Profile,
    demonstration: z.boolean(),
    online: z.boolean(),
  }),
  screen: Screen,
  /** What may be answered to this view; anything else is refused. */
  offers: z.array(z.lazy(() => IntentKind)).max(20),
  /** The visit ends after this long without an answer; the screen warns for the last warnMs. Null where nothing runs out. */
  timeout: z.strictObject({ remainingMs: z.int().nonnegative(), warnMs: z.int().nonnegative() }).nullable(),
  camera: z.strictObject({ source: CameraSource }).nullable(),
});
export type View = z.infer<typeof View>;

const intent = <Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) =>
  z.strictObject({ kind: z.literal(kind), ...shape });

export const Intent = z.discriminatedUnion('kind', [
  /** Someone touched the attract screen. */
  intent('begin', {}),
  intent('set-language', { language: Language }),
  intent('choose-service', { service: Service }),
  intent('answer-consent', { version: z.string().max(40), agreed: z.boolean() }),
  intent('choose-amount', { amountMinor: MinorUnits }),
  intent('enter-payee', { accountNumber: AccountNumber }),
  /** "I will say who I am", where the look did not tell. */
  intent('claim-identity', {}),
  intent('enter-claim', { accountNumber: AccountNumber }),
  /** Back to one thing that was said before, to say it anew. */
  intent('correct', { what: z.enum(['amount', 'payee']) }),
  /** Yes to what is shown: notes are all in, the deposit is right, the balance was read, the work is done. */
  intent('confirm', {}),
  intent('choose-receipt', { print: z.boolean() }),
  /** Again from where it failed. */
  intent('retry', {}),
  /** Back to the start; money already put in is returned. */
  intent('cancel', {}),
  /** More time, please. */
  intent('extend', {}),
  intent('remove-line', { lineId: Uuid }),
  intent('pay', {}),
  /** "I can't do this." Names what the screen asked for, so that it never declines what came after. */
  intent('decline-challenge', { demand: Demand }),
  /** The camera page's own report; not a person's doing. */
  intent('report-camera', {
    state: z.enum(['running', 'stopped', 'denied', 'not-found', 'failed']),
    /** What the browser said, for the technician. */
    detail: z.string().max(300),
  }),
]);
export type Intent = z.infer<typeof Intent>;
export const IntentKind = z.enum([
  'begin',
  'set-language',
  'choose-service',
  'answer-consent',
  'choose-amount',
  'enter-payee',
  'claim-identity',
  'enter-claim',
  'correct',
  'confirm',
  'choose-receipt',
  'retry',
  'cancel',
  'extend',
  'remove-line',
  'pay',
  'decline-challenge',
  'report-camera',
]);
export type IntentKind = z.infer<typeof IntentKind>;

export const IntentMessage = z.strictObject({ revision: z.int().nonnegative(), intent: Intent });
export type IntentMessage = z.infer<typeof IntentMessage>;

/** Answer to one intent. A refusal says why in a sentence for the developer of a screen. */
export const IntentAnswer = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true) }),
  z.strictObject({
    ok: z.literal(false),
    code: z.enum(['invalid', 'not-offered', 'stale']),
    message: z.string().max(500),
  }),
]);
export type IntentAnswer = z.infer<typeof IntentAnswer>;
