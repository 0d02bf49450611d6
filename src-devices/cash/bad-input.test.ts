/** Whatever is sent to a cash service: it answers by the rules, never breaks, and no note goes astray. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemChance, systemClock } from '../clock.ts';
import type { Socket } from '../connection.ts';
import { STANDARD_DIALECT } from '../dialect.ts';
import { Faults } from '../faults.ts';
import { COMMANDS, listedVersion } from '../message-index.ts';
import { problems } from '../notes/cash-state.ts';
import { createRuntime } from '../runtime.ts';
import { CASH_FAULTS } from './cash-faults.ts';
import { openCash } from './cash-services.ts';

const names = Object.keys(COMMANDS).filter((name) => /^(Common|Storage|Cash)/.test(name) && name !== 'Common.Cancel');
const field = fc.constantFrom(
  'denomination',
  'service',
  'app',
  'currencies',
  'counts',
  'mix',
  'JPY',
  'unit1',
  'unit3',
  'position',
  'location',
  'retractArea',
  'index',
  'token',
  'nonce',
  'storage',
  'cash',
  'status',
  'initial',
  'configuration',
  'request',
  'items',
  'target',
  'unit',
  'units',
  '__proto__',
);
const { payload: payloads } = fc.letrec((tie) => ({
  payload: fc.dictionary(field, fc.oneof({ maxDepth: 5 }, tie('leaf'), tie('payload')), { maxKeys: 4 }),
  leaf: fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      1,
      -1,
      1e300,
      10_000,
      0.5,
      'mix1',
      'retract',
      'reject',
      'outCenter',
      'unit5',
      '',
      'x'.repeat(2_000),
    ),
    fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 3 }),
  ),
}));
const order = { denomination: { service: { currencies: { JPY: 3_000 }, mix: 'mix1' } } };
/** What a client that knows the standard would send. */
const sensible: readonly (readonly [name: string, payload: object])[] = [
  ['CashDispenser.Dispense', { denomination: order }],
  ['CashDispenser.Dispense', { denomination: { denomination: { app: { counts: { unit1: 2 } } } } }],
  ['CashDispenser.Denominate', { request: order }],
  ['CashDispenser.Present', {}],
  ['CashDispenser.GetPresentStatus', { nonce: '17' }],
  ['CashManagement.Retract', { location: { retractArea: 'retract', index: 1 } }],
  ['CashManagement.Reset', { position: { target: 'retract', index: 1 } }],
  ['CashManagement.OpenShutter', { position: 'inCenter' }],
  ['CashAcceptor.CashInStart', { useRecycleUnits: true }],
  ['CashAcceptor.CashUnitCount', { units: ['unit1'] }],
  ['Storage.SetStorage', { storage: { unit3: { cash: { status: { initial: { type10000JPY1: { fit: 3 } } } } } } }],
];
const command = fc
  .record({
    sent: fc.oneof(
      fc.constantFrom(...sensible),
      fc.tuple(
        fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string() }),
        payloads,
      ),
    ),
    spoilt: fc.option(payloads, { freq: 3 }),
    odd: fc.option(
      fc.record(
        { version: fc.constantFrom('1.0', '2', 2, null), timeout: fc.constantFrom(-1, 'soon', null) },
        { requiredKeys: [] },
      ),
      { freq: 6 },
    ),
  })
  .map(({ sent: [name, payload], spoilt, odd }) => ({ name, payload: { ...payload, ...spoilt }, odd }));
const RUNS = Number(process.env['KAOPASS_FUZZ_RUNS'] ?? 1_000);
const LONG = { timeout: 60_000 + RUNS * 60 };
const noise = fc.oneof(fc.string(), fc.json(), fc.constant('{"header":{"type":"command","name":7}}'));

test(
  'every accepted command is completed once, none by an internal error, and the notes stay whole',
  LONG,
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kaopass-fuzz-'));
    const runtime = createRuntime({
      clock: systemClock,
      faults: new Faults(CASH_FAULTS),
      speed: Number.POSITIVE_INFINITY,
    });
    const cash = openCash(runtime, dir, systemChance, { flush: false, security: { mode: 'ifConfigured' } });
    // biome-ignore lint/suspicious/noExplicitAny: whatever comes back is looked at here
    const heard: any[] = [];
    let receive: (text: string) => void = () => {};
    cash.services[0]!.accept({
      readyState: 1,
      terminate: () => {},
      send: (text: string) => heard.push(JSON.parse(text)),
      on: (event: string, listener: (data: { toString(): string }, isBinary: boolean) => void) => {
        if (event === 'message') receive = (text) => listener(text, false);
      },
    } as unknown as Socket);
    const turns = async (count: number) => {
      for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    let requestId = 0;
    const cancelAll = async () => {
      receive(
        JSON.stringify({ header: { type: 'command', name: 'Common.Cancel', version: '2.0', requestId: ++requestId } }),
      );
      await turns(20);
    };
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(command, noise), { minLength: 1, maxLength: 8 }), async (messages) => {
          // The run before may have left the machine in an exchange, or a cash-in.
          for (const name of ['Storage.EndExchange', 'CashManagement.Reset']) {
            receive(JSON.stringify({ header: { type: 'command', name, version: '2.0', requestId: ++requestId } }));
          }
          await turns(5);
          heard.length = 0;
          for (const message of messages) {
            if (typeof message === 'string') receive(message);
            else {
              const header = {
                type: 'command',
                name: message.name,
                version: listedVersion(message.name, STANDARD_DIALECT),
                requestId: ++requestId,
              };
              receive(JSON.stringify({ header: { ...header, ...message.odd }, payload: message.payload }));
            }
            await turns(1);
          }
          for (let tries = 0; tries < 50; tries++) {
            await cancelAll();
            const accepted = heard.filter(({ header }) => header.type === 'acknowledge' && !header.status);
            const completed = heard.filter(({ header }) => header.type === 'completion');
            if (accepted.length === completed.length) break;
          }
          const ids = (type: string) =>
            heard
              .filter(({ header }) => header.type === type && !header.status)
              .map(({ header }) => header.requestId)
              .sort((a, b) => a - b);
          expect(ids('completion')).toEqual(ids('acknowledge'));
          const broken = heard.filter(({ header }) => header.completionCode === 'internalError');
          expect(broken).toEqual([]);
          expect(problems(cash.machine.state)).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
