/** The machine's power is cut at any moment of a withdrawal or a deposit, and the terminal's, too: afterwards the books agree or say suspect. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId, notes } from '../../contract/devices/vocabulary.ts';
import { deposit, settle, settleDeposit, takesAll, takesNothing, withdraw } from './conduct.ts';
import { Machine } from './machine.ts';
import { until } from './waiting.ts';

/** Mechanics take tens of milliseconds at this speed, so that a cut finds them in the middle. */
const SPEED = 60;
const RUNS = 12;

async function cut(machine: Machine, afterMs: number, terminalToo: boolean): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  await machine.restartMachine();
  if (terminalToo) await machine.restartTerminal();
}
const online = (machine: Machine) =>
  until(() => [machine.dispenser, machine.acceptor].every((device) => device.health().state !== 'offline'));

describe('a power cut', () => {
  it('in a withdrawal leaves no note without an owner', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(150), fc.boolean(), fc.boolean(), async (afterMs, terminalToo, taken) => {
        const machine = await Machine.open({ atm: { speed: SPEED } });
        try {
          const transactionId = newId();
          const customer = taken ? takesAll : takesNothing;
          const ended = withdraw(machine, { mix: notes(10_000, 3), transactionId, customer }).catch(() => null);
          await cut(machine, afterMs, terminalToo);
          await ended;
          await online(machine);
          const verdict = await settle(machine.dispenser, transactionId);
          const { withCustomers, inReach } = machine.worth();
          if (verdict.kind === 'settled') expect(verdict.yen).toBe(withCustomers + inReach);
        } finally {
          await machine.close();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('in a deposit credits what the machine has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(150), fc.boolean(), fc.boolean(), async (afterMs, terminalToo, confirms) => {
        const machine = await Machine.open({ atm: { speed: SPEED } });
        try {
          const before = machine.worth().inside;
          const transactionId = newId();
          const ended = deposit(machine, { bunches: [notes(1_000, 4)], transactionId, confirms }).catch(() => null);
          await cut(machine, afterMs, terminalToo);
          await ended;
          await online(machine);
          const verdict = await settleDeposit(machine.acceptor, transactionId);
          if (verdict.kind === 'settled') expect(machine.worth().inside - before).toBe(verdict.yen);
        } finally {
          await machine.close();
        }
      }),
      { numRuns: RUNS },
    );
  });
});
