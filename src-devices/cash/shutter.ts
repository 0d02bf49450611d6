/** The two shutters. One that is stuck stays so until a Reset. */
import type { CashState } from '../notes/cash-state.ts';
import { shutterStuck } from './cash-faults.ts';
import { type CashMachine, INPUT, MS, OUTPUT, RETURN } from './machine.ts';

export type Position = 'output' | 'input';
const FIELD = { output: 'outputShutter', input: 'inputShutter' } as const;

/** False when it did not open. */
export async function openShutter(machine: CashMachine, position: Position): Promise<boolean> {
  return await moveShutter(machine, position, 'open');
}

/** False when it did not close. */
export async function closeShutter(machine: CashMachine, position: Position): Promise<boolean> {
  return await moveShutter(machine, position, 'closed');
}

async function moveShutter(machine: CashMachine, position: Position, to: 'open' | 'closed'): Promise<boolean> {
  const is = machine.state[FIELD[position]];
  if (is === to) return true;
  if (is === 'jammedOpen') return to === 'open';
  if (is === 'jammedClosed') return to === 'closed';
  const when = to === 'open' ? 'opening' : 'closing';
  const stuck = machine.runtime.faults.strikes(
    shutterStuck,
    (fault) => fault.position === position && fault.when === when,
  );
  await machine.runtime.act(MS.shutter);
  setShutter(machine, position, stuck ? (to === 'open' ? 'jammedClosed' : 'jammedOpen') : to);
  return stuck === null;
}

export function setShutter(machine: CashMachine, position: Position, shutter: CashState['outputShutter']): void {
  if (machine.state[FIELD[position]] === shutter) return;
  machine.change((draft) => {
    draft[FIELD[position]] = shutter;
  });
  machine.unsolicited(position === 'output' ? 'dispenser' : 'acceptor', 'CashManagement.ShutterStatusChangedEvent', {
    position: position === 'output' ? OUTPUT : INPUT,
    shutter: shutter.startsWith('jammed') ? 'jammed' : shutter,
  });
}

/** Which of the two a position of the standard means; null: this machine has none there. */
export function positionNamed(name: string | null | undefined): Position | null {
  if (name === OUTPUT || name === 'outDefault') return 'output';
  if (name === INPUT || name === 'inDefault' || name === RETURN) return 'input';
  return null;
}
