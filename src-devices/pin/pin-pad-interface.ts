/** The messages of XFS4IoT 2024-3, PinPad. */
import { z } from 'zod';
import { command, done, type Interface, type Outcome } from '../command.ts';
import { PIN_FORMATS } from './pin-block.ts';

const FORMATS = [
  'ibm3624',
  'ansi',
  'iso0',
  'iso1',
  'eci2',
  'eci3',
  'visa',
  'diebold',
  'dieboldCo',
  'visa3',
  'banksys',
  'emv',
  'iso3',
  'ap',
  'iso4',
] as const;
const METHODS = ['ecb', 'cbc', 'cfb', 'ofb', 'ctr', 'xts', 'rsaesPkcs1V15', 'rsaesOaep'] as const;

const GetPinBlock = z.object({
  format: z.enum(FORMATS),
  key: z.string().max(64).nullish(),
  customerData: z.string().max(40).nullish(),
  padding: z.int().min(0).max(15).nullish(),
  cryptoMethod: z.enum(METHODS).nullish(),
  secondEncKey: z.string().nullish(),
  xorData: z.string().nullish(),
});
export type PinBlockRequest = z.output<typeof GetPinBlock>;

export interface PinPadActs {
  getPinBlock(request: PinBlockRequest): Outcome;
  maintain(maintain: boolean): void;
  /** Empties the PIN buffer. */
  reset(): void;
}

const ecbOnly = { cryptoMethod: Object.fromEntries(METHODS.map((method) => [method, method === 'ecb'])) };

export function pinPadInterface(acts: PinPadActs): Interface {
  return {
    name: 'PinPad',
    events: [],
    capabilities: () => ({
      pinFormats: Object.fromEntries(
        FORMATS.map((format) => [format, (PIN_FORMATS as readonly string[]).includes(format)]),
      ),
      idcConnect: false,
      pinCanPersistAfterUse: true,
      typeCombined: false,
      setPinblockDataRequired: false,
      pinBlockAttributes: { P0: { A: { E: ecbOnly }, T: { E: ecbOnly } } },
    }),
    commands: {
      'PinPad.GetPinBlock': command(GetPinBlock, (request) => acts.getPinBlock(request)),
      'PinPad.MaintainPin': command(z.object({ maintainPIN: z.boolean() }), ({ maintainPIN }) => {
        acts.maintain(maintainPIN);
        return done();
      }),
      'PinPad.Reset': command(z.object({}), () => {
        acts.reset();
        return done();
      }),
    },
  };
}
