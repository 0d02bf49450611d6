/** XFS4IoT CashDispenser, commands of a self-service note dispenser with an intermediate stacker. */
import { z } from 'zod';
import { command, done, ended, failed, type Interface, type Outcome } from '../command.ts';
import type { Payload } from '../envelope.ts';
import { worth } from '../notes/tally.ts';
import { presentToken } from '../security/present-token.ts';
import { DenominationRequest, denominate, denominationResult, suppliesOf } from './denomination.ts';
import { dispense } from './dispense.ts';
import { type CashMachine, MS, OUTPUT } from './machine.ts';
import { MIXES } from './mix.ts';
import { pickable } from './pickable.ts';
import { present, reject } from './present.ts';
import type { CashSecurity } from './security.ts';
import { positionNamed } from './shutter.ts';

const Nothing = z.object({});
/** XFS4IoT, nonces of either form; longer than 100 characters is none (reference library). */
const Nonce = z
  .string()
  .max(100)
  .regex(/^[0-9A-F]{32}$|^[0-9]*$/);

export function dispenserInterface(machine: CashMachine, security: CashSecurity): Interface {
  const { guard } = security;
  const exclusive = (act: () => Promise<Outcome>) => machine.exclusive(act);
  return {
    name: 'CashDispenser',
    events: [
      'CashDispenser.StartDispenseEvent',
      'CashDispenser.DelayedDispenseEvent',
      'CashDispenser.IncompleteDispenseEvent',
      'Storage.StorageErrorEvent',
      'CashManagement.NoteErrorEvent',
    ],
    capabilities: () => ({
      type: 'selfServiceBill',
      maxDispenseItems: machine.options.itemsMax,
      shutterControl: true,
      retractAreas: {
        retract: true,
        transport: false,
        stacker: false,
        reject: true,
        itemCassette: false,
        cashIn: false,
      },
      retractTransportActions: { present: false, retract: true, reject: true, itemCassette: false, cashIn: false },
      retractStackerActions: { present: false, retract: true, reject: true, itemCassette: false, cashIn: false },
      intermediateStacker: true,
      itemsTakenSensor: true,
      positions: { left: false, right: false, center: true, top: false, bottom: false, front: false, rear: false },
      moveItems: { fromCashUnit: true, toCashUnit: false, toTransport: false, toStacker: true },
    }),
    commands: {
      'CashDispenser.GetMixTypes': command(
        Nothing,
        () =>
          done({
            mixes: Object.fromEntries(Object.entries(MIXES).map(([id, mix]) => [id, { type: 'algorithm', ...mix }])),
          }),
        { withoutDevice: true },
      ),
      'CashDispenser.GetMixTable': command(
        z.object({ mix: z.string() }),
        ({ mix }) => failed('invalidMix', `${mix} is no table`),
        { withoutDevice: true },
      ),
      'CashDispenser.Denominate': command(z.object({ request: DenominationRequest }), ({ request }) => {
        if (machine.state.exchange) return failed('exchangeActive');
        const chosen = denominate(machine, request);
        if ('refusal' in chosen) return chosen.refusal;
        const { units, currency, amount } = chosen.denomination;
        return done({ result: denominationResult(currency, amount, units) });
      }),
      'CashDispenser.Dispense': command(
        z.object({
          denomination: DenominationRequest,
          position: z.string().nullish(),
          // Longer than any token: what it is is said by the token's own code, not by invalidData.
          token: z.string().max(65_536).nullish(),
        }),
        (order, context) => exclusive(() => dispense(machine, security, order, context)),
      ),
      'CashDispenser.Present': command(z.object({ position: z.string().nullish() }), ({ position }, context) =>
        exclusive(() => present(machine, guard, position, context)),
      ),
      'CashDispenser.Reject': command(Nothing, () => exclusive(() => reject(machine))),
      'CashDispenser.GetPresentStatus': command(
        z.object({ position: z.string().nullish(), nonce: Nonce.nullish() }),
        ({ position, nonce }) => presentStatus(machine, security, position, nonce || null),
        { withoutDevice: true },
      ),
      'CashDispenser.TestCashUnits': command(z.object({ target: z.looseObject({}).nullish() }), () =>
        exclusive(() => testUnits(machine)),
      ),
      'CashDispenser.PrepareDispense': command(z.object({ action: z.enum(['start', 'stop']) }), () =>
        machine.state.exchange ? failed('exchangeActive') : done(),
      ),
    },
  };
}

/** One note of each unit that pays out goes past the sensors, into the reject unit. */
async function testUnits(machine: CashMachine): Promise<Outcome> {
  if (machine.state.exchange) return failed('exchangeActive');
  if (machine.state.dispenserJam) return ended('hardwareError', machine.state.dispenserJam);
  for (const { unit } of suppliesOf(machine)) {
    await machine.runtime.act(MS.note);
    const item = pickable(machine.unit(unit));
    const bin = machine.bin('reject');
    if (!item || !bin) return failed('cashUnitError', item ? 'the reject unit takes no more' : `${unit} gave no note`);
    machine.move({ from: { unit }, to: { unit: bin }, item, count: 1, into: 'rejected' });
  }
  return done();
}

function presentStatus(
  machine: CashMachine,
  security: CashSecurity,
  position: string | null | undefined,
  nonce: string | null,
): Outcome {
  if (positionNamed(position ?? 'outDefault') !== 'output') return failed('unsupportedPosition', `no ${position}`);
  const record = machine.state.present;
  const answer = {
    denomination: record ? denominationResult('JPY', worth(record.dispensed), record.units) : null,
    presentState: record?.state ?? 'notPresented',
  };
  if (nonce === null || !security.guard.supported()) return done({ ...answer, token: null });
  const key = security.keys.device();
  if (key) return done({ ...answer, token: presentToken(record, nonce, key) });
  return security.mode === 'always'
    ? { ...ended('invalidTokenKeyNoValue', 'no device key is loaded'), payload: answer }
    : done({ ...answer, token: null });
}

/** XFS4IoT, Common.Status `cashDispenser`. After a present whose sensors contradicted each other nobody knows where its notes are. */
export function dispenserStatus(machine: CashMachine): Payload {
  const { state } = machine;
  const stacked = machine.count('stacker') > 0;
  const occupied = machine.occupied('output');
  const lost = state.present?.state === 'unknown' && (stacked || occupied);
  const filled = (notEmpty: boolean) => (lost ? 'unknown' : notEmpty ? 'notEmpty' : 'empty');
  return {
    intermediateStacker: filled(stacked),
    positions: [
      {
        position: OUTPUT,
        shutter: state.outputShutter,
        positionStatus: filled(occupied),
        transport: state.dispenserJam ? 'inoperative' : 'ok',
        transportStatus: machine.count('transport') > 0 ? 'notEmpty' : 'empty',
      },
    ],
  };
}
