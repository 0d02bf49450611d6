/** XFS4IoT 2024-3, PinPad: the PIN block, made inside the device. */
import { z } from 'zod';
import { nothing, text } from './lenient.ts';

export const PIN_FORMATS = [
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

export const CRYPTO_METHODS = ['ecb', 'cbc', 'cfb', 'ofb', 'ctr', 'xts', 'rsaesPkcs1V15', 'rsaesOaep'] as const;

const PinBlock = z.object({
  format: z.enum(PIN_FORMATS),
  key: text,
  /** Never logged: digits of the account number. */
  customerData: text,
  /** Always sent: the reference framework insists on it. */
  padding: z.int().min(0).max(15),
  cryptoMethod: z.enum(CRYPTO_METHODS).optional(),
  secondEncKey: text,
  xorData: text,
});

export const pinPadCommands = {
  'PinPad.GetPinBlock': { payload: PinBlock, completion: z.object({ /** base64. */ pinBlock: text }) },
  'PinPad.SetPinBlockData': { payload: PinBlock, completion: nothing },
  'PinPad.MaintainPin': { payload: z.object({ maintainPIN: z.boolean() }), completion: nothing },
  'PinPad.Reset': { payload: nothing, completion: nothing },
} as const;
