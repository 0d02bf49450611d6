import { describe, expect, it } from 'vitest';
import { readCompletion, readEvent, writePayload } from '../read-message.ts';
import { type CommandName, commandNamed, commandSpec, type EventName, eventNamed } from './table.ts';

const completed = <N extends CommandName>(name: N, payload: Record<string, unknown>) =>
  readCompletion(name, {
    kind: 'completion',
    name,
    requestId: 1,
    code: 'success',
    errorCode: null,
    description: null,
    payload,
  });

/** Everything a device of the standard may answer, with fields it may have that we do not know. */
const COMPLETIONS: [CommandName, Record<string, unknown>, unknown][] = [
  [
    'Storage.GetStorage',
    {
      storage: {
        unit3: {
          id: 'CU3',
          positionName: 'slot3',
          capacity: 2500,
          status: 'ok',
          vendor: { heater: 'on' },
          cash: {
            capabilities: { types: { cashOut: true }, items: { fit: true } },
            configuration: {
              currency: 'JPY',
              value: 10000,
              cashItems: ['type10000JPY1'],
              lowThreshold: 100,
              appLockOut: false,
            },
            status: {
              initial: { type10000JPY1: { fit: 200 } },
              accuracy: 'accurate',
              replenishmentStatus: 'ok',
              out: { presented: { type10000JPY1: { fit: 3 } }, rejected: { type10000JPY1: { fit: 1 } } },
            },
          },
        },
        unit9: {
          id: 'REJ',
          capacity: 300,
          status: 'burning',
          cash: {
            capabilities: { types: { reject: true, cashOutRetract: true }, retractAreas: 1, retractThresholds: false },
            status: {
              in: { retractOperations: 0, rejected: { type10000JPY1: { fit: 1 } } },
              replenishmentStatus: 'ok',
            },
          },
        },
      },
    },
    {
      storage: {
        unit3: {
          id: 'CU3',
          positionName: 'slot3',
          capacity: 2500,
          status: 'ok',
          cash: {
            capabilities: { types: { cashOut: true }, items: { fit: true } },
            configuration: {
              currency: 'JPY',
              value: 10000,
              cashItems: ['type10000JPY1'],
              lowThreshold: 100,
              appLockOut: false,
            },
            status: {
              initial: { items: { type10000JPY1: { fit: 200 } } },
              accuracy: 'accurate',
              replenishmentStatus: 'ok',
              out: {
                presented: { items: { type10000JPY1: { fit: 3 } } },
                rejected: { items: { type10000JPY1: { fit: 1 } } },
              },
            },
          },
        },
        unit9: {
          id: 'REJ',
          capacity: 300,
          status: 'unknown',
          cash: {
            capabilities: { types: { reject: true, cashOutRetract: true }, retractAreas: 1, retractThresholds: false },
            status: {
              in: { retractOperations: 0, rejected: { items: { type10000JPY1: { fit: 1 } } } },
              replenishmentStatus: 'ok',
            },
          },
        },
      },
    },
  ],
  [
    'CashDispenser.GetPresentStatus',
    { denomination: { currencies: { JPY: 30000 }, values: { unit3: 3 } }, presentState: 'presented', token: null },
    { denomination: { currencies: { JPY: 30000 }, values: { unit3: 3 } }, presentState: 'presented' },
  ],
  [
    'CashManagement.GetBankNoteTypes',
    {
      items: {
        type20USD1: { cashItem: { noteID: 1, currency: 'USD', value: 20, release: 1 }, enabled: true },
        other: 1,
      },
    },
    { items: { type20USD1: { cashItem: { noteID: 1, currency: 'USD', value: 20, release: 1 }, enabled: true } } },
  ],
  [
    'CashManagement.Retract',
    { storage: { unit9: { retractOperations: 1 } }, transport: {} },
    { storage: { unit9: { retractOperations: 1 } }, transport: { items: {} } },
  ],
  [
    'CashAcceptor.GetCashInStatus',
    { status: 'active', numOfRefused: 1, noteNumberList: { unrecognized: 2, type1000JPY1: { fit: 4, unfit: 1 } } },
    {
      status: 'active',
      numOfRefused: 1,
      noteNumberList: { unrecognized: 2, items: { type1000JPY1: { fit: 4, unfit: 1 } } },
    },
  ],
  [
    'KeyManagement.GetKeyDetail',
    {
      keyDetails: {
        PIN: { loaded: 'yes', keyBlockInfo: { keyUsage: 'P0', algorithm: 'T', modeOfUse: 'E', keyLength: 128 } },
      },
    },
    {
      keyDetails: {
        PIN: { loaded: 'yes', keyBlockInfo: { keyUsage: 'P0', algorithm: 'T', modeOfUse: 'E', keyLength: 128 } },
      },
    },
  ],
  [
    'BarcodeReader.Read',
    { readOutput: [{ symbology: 'qrCode', barcodeData: 'SGVsbG8=', symbologyName: null }] },
    { readOutput: [{ symbology: 'qrCode', barcodeData: 'SGVsbG8=' }] },
  ],
  ['Camera.TakePicture', { pictureFile: '/9j/4AAQ' }, { pictureFile: '/9j/4AAQ' }],
  [
    'Biometric.Match',
    { candidates: { id1: { confidenceLevel: 93 } } },
    { candidates: { id1: { confidenceLevel: 93 } } },
  ],
  ['Printer.RetractMedia', { result: 'transport' }, { result: 'transport' }],
];

describe('completions of edition 2024-3', () => {
  it.each(COMPLETIONS)('%s', (name, payload, expected) => {
    expect(completed(name, payload)).toEqual({ value: { code: 'success', payload: expected }, unfit: null });
  });

  it('that lack what they are for are no answer', () => {
    expect(completed('Common.GetCommandNonce', {}).unfit).toBe('payload.commandNonce: expected string');
    expect(completed('Common.GetCommandNonce', { commandNonce: 'NONCE' }).value.code).toBe('noAnswer');
    expect(completed('Keyboard.PinEntry', { completion: 'enter' }).value.code).toBe('noAnswer');
  });
});

const EVENTS: [EventName, Record<string, unknown>, unknown][] = [
  [
    'CashManagement.ItemsTakenEvent',
    { position: 'outCenter', additionalBunches: '0' },
    { position: 'outCenter', additionalBunches: '0' },
  ],
  ['CashManagement.ItemsInsertedEvent', { position: { position: 'inCenter' } }, { position: 'inCenter' }],
  ['CashAcceptor.SubCashInEvent', { type1000JPY1: { fit: 4 } }, { items: { type1000JPY1: { fit: 4 } } }],
  ['CashAcceptor.InputRefuseEvent', { reason: 'sticky' }, { reason: 'unknown' }],
  [
    'Printer.PaperThresholdEvent',
    { paperSource: 'upper', threshold: 'low' },
    { paperSource: 'upper', threshold: 'low' },
  ],
  ['Printer.MediaTakenEvent', {}, {}],
  ['KeyManagement.DUKPTKSNEvent', { key: 'PIN', ksn: '//+5' }, { key: 'PIN', ksn: '//+5' }],
  [
    'Common.ErrorEvent',
    { eventId: 'hardware', action: 'reset', vendorDescription: null },
    { eventId: 'hardware', action: 'reset' },
  ],
];

describe('events', () => {
  it.each(EVENTS)('%s', (name, payload, expected) => {
    expect(readEvent(name, payload)).toEqual({ value: expected, unfit: null });
  });
});

describe('commands of edition 2021-1', () => {
  it.each([
    [
      'Printer.ControlMedia',
      { mediaControl: { cut: true, move: 'eject', turnPage: 'forward' } },
      { mediaControl: { cut: true, eject: true, pageForward: true } },
    ],
    [
      'Lights.SetLight',
      { notesDispenser: { default: { flashRate: 'medium', color: 'green' } } },
      { notesDispenser: { position: 'default', flashRate: 'medium', color: 'green' } },
    ],
    [
      'CashDispenser.Denominate',
      { request: { denomination: { service: { currencies: { JPY: 1000 }, mix: 'mix1' } } } },
      { denomination: { currencies: { JPY: 1000 }, mix: 'mix1' } },
    ],
  ] as const)('%s', (name, payload, flat) => {
    expect(writePayload(name, payload as never, '1.0')).toEqual({ value: flat, unfit: null });
    expect(writePayload(name, payload as never, '2.0')).toEqual({ value: payload, unfit: null });
  });
});

it('names are found in any case, and nothing else is', () => {
  expect(commandNamed('cashdispenser.DISPENSE')).toBe('CashDispenser.Dispense');
  expect(eventNamed('common.statusChangedEvent')).toBe('Common.StatusChangedEvent');
  expect(commandNamed('CashDispenser.Burn')).toBeNull();
  expect(commandNamed('constructor')).toBeNull();
  expect(commandSpec('Common.Cancel').payload.safeParse({ requestIds: [] }).success).toBe(false);
});
