/**
 * How the devices of the world differ while all of them claim the same standard (editions 2021-1 to 2024-3, and the widely
 * used open-source framework, "the reference" below). Each switch is one difference a client has to live with; the first
 * value named is the default, which is the 2024-3 edition as the reference sends it where the edition leaves it open.
 */
import { z } from 'zod';

export const Dialect = z.strictObject({
  /** A completion that went well says `success` (2021-1, reference), or leaves `completionCode` out (newer publications). */
  success: z.enum(['sent', 'omitted']).default('sent'),
  /** Where `completionCode` and `errorDescription` are: in the header, or in the payload (2021-1). */
  completionCodeIn: z.enum(['header', 'payload']).default('header'),
  /** An accepted command's acknowledge has no status, or `payload.status` = `ok` (2021-1). A refusal follows the same place. */
  acknowledgeStatus: z.enum(['header', 'payload']).default('header'),
  /** `header.type` of unsolicited events: `event` without requestId is the reference's way. */
  unsolicitedType: z.enum(['unsolicited', 'event']).default('unsolicited'),
  /** Interface names in Capabilities: `CashDispenser`, or `cashDispenser` (reference). */
  interfaceNames: z.enum(['upperCamel', 'lowerCamel']).default('upperCamel'),
  /** Spelling of the completion code: `authorizationRequired`, or `authorisationRequired` (reference). */
  authorizationRequired: z.enum(['z', 's']).default('z'),
  /** Changed counts come as Storage.CountsChangedEvent, or as Storage.StorageChangedEvent (older devices). */
  countsEvent: z.enum(['countsChanged', 'storageChanged']).default('countsChanged'),
  /** Whether CashDispenser.Present is followed by CashManagement.ItemsPresentedEvent (allowed, not required). */
  itemsPresentedOnPresent: z.boolean().default(true),
  /** Whether CashDispenser.Dispense announces itself by StartDispenseEvent. */
  startDispense: z.boolean().default(false),
  /** Commands must carry exactly a listed version (reference), or any with a listed major number. */
  strictVersions: z.boolean().default(true),
  /** Version listed for Common.Status and Common.Capabilities: 2.0 in the reference, 3.0 in another reading. */
  statusVersion: z.enum(['2.0', '3.0']).default('2.0'),
  /** Optional fields without a value are left out, or sent as JSON null. Both mean the same. */
  emptyFields: z.enum(['omitted', 'null']).default('omitted'),
  /** A message without payload has none, `null`, or `{}`. */
  emptyPayload: z.enum(['absent', 'null', 'object']).default('absent'),
  /** Published service URIs end in a slash (reference). */
  trailingSlash: z.boolean().default(false),
  /** GetServices names the services in its ServiceDetailEvents and the completion, or in one of them only. */
  servicesIn: z.enum(['both', 'events', 'completion']).default('both'),
  /** CashIn's counts under `items`, or at the top of the payload (2021-1). */
  cashInItems: z.enum(['wrapped', 'flat']).default('wrapped'),
  /** ItemsTaken, ItemsInserted, ItemsPresented: `position` is a string, or an object that has one (2021-1). */
  eventPosition: z.enum(['flat', 'wrapped']).default('flat'),
  /** ItemsInserted and ItemsPresented are unsolicited, or events of the command that caused them, with its requestId (2021-1). */
  itemEvents: z.enum(['unsolicited', 'ofCommand']).default('unsolicited'),
  /** A GetCommandNonce while one is stored makes a new one (standard), or returns the same again (reference sample). */
  repeatedNonce: z.enum(['renewed', 'same']).default('renewed'),
  /** The nonce goes when the token's value is reached by what was dispensed (reference firmware) or by what was presented. */
  nonceClearedAt: z.enum(['dispensed', 'presented']).default('dispensed'),
  /** Refused tokens are told by their reason, or all as `invalidToken` (reference sample). */
  tokenRefusal: z.enum(['specific', 'invalidToken']).default('specific'),
  /** Completion code for a Dispense without a token where one is needed. */
  missingToken: z.enum(['invalidToken', 'authorizationRequired']).default('invalidToken'),
  /** A refused token also ends what was left of the good one before it (reference firmware). */
  refusalForgetsAllowance: z.boolean().default(false),
  /** Opening an open shutter, starting a started exchange and the like: the error of the standard, or success (reference). */
  repeatedStateChange: z.enum(['error', 'success']).default('error'),
  /** Retract with both `outputPosition` and `retractArea` is understood, or refused with invalidData (reference). */
  retractPositionAndArea: z.enum(['accepted', 'refused']).default('accepted'),
  /** Status and storage deltas come before the completion of the command that caused them, or after it. */
  deltas: z.enum(['beforeCompletion', 'afterCompletion']).default('beforeCompletion'),
  /** A camera out of order is `inoperative`, or `inop` (reference). */
  cameraInoperative: z.enum(['inoperative', 'inop']).default('inoperative'),
  /** A capability that is not there is left out, or the word `notSupported` (2021-1). */
  notSupported: z.enum(['absent', 'literal']).default('absent'),
});
/** All switches, each set. */
export type Dialect = z.output<typeof Dialect>;
/** Some switches; those not named keep their value. */
export type DialectChange = z.input<typeof Dialect>;

export const STANDARD_DIALECT: Dialect = Dialect.parse({});
