/** The cash services of a machine: one service for a recycler, or one for each half. */
import type { Chance } from '../clock.ts';
import { DEFAULT_LOAD, type UnitLoad } from '../notes/load.ts';
import type { SecurityOptions } from '../security/dispense-guard.ts';
import type { SecurityKeys } from '../security/keys.ts';
import { type Runtime, Service } from '../service.ts';
import { acceptorInterface, acceptorStatus } from './acceptor-interface.ts';
import { dispenserInterface, dispenserStatus } from './dispenser-interface.ts';
import { CashHands } from './hands.ts';
import { InputSlot } from './input-slot.ts';
import { CashMachine, type Halves } from './machine.ts';
import { managementInterface, managementStatus } from './management-interface.ts';
import { type CashSecurity, openSecurity } from './security.ts';
import { storageInterface } from './storage-interface.ts';
import { storageView } from './storage-view.ts';

export interface CashOptions {
  readonly load?: readonly UnitLoad[];
  readonly itemsMax?: number;
  readonly bunchItemsMax?: number;
  readonly escrowItemsMax?: number;
  /** True: the client moves the acceptor's shutter by OpenShutter, CloseShutter and PresentMedia. */
  readonly explicitShutter?: boolean;
  /** False: a change survives the process and not the computer's power, and takes a tenth of the time. For tests. */
  readonly flush?: boolean;
  /** `recycler`: one service with both interfaces. `split`: `CashDispenser1` and `CashAcceptor1` over the same mechanism. */
  readonly arrangement?: 'recycler' | 'split';
  readonly security?: Partial<SecurityOptions> & { readonly keys?: SecurityKeys };
}

export interface Cash {
  readonly services: readonly Service[];
  readonly machine: CashMachine;
  readonly hands: CashHands;
  readonly security: CashSecurity;
}

/** Throws an Error that names the file when a state is damaged. */
export function openCash(runtime: Runtime, stateDir: string, chance: Chance, options: CashOptions = {}): Cash {
  const machine = new CashMachine(runtime, chance, {
    stateDir,
    load: options.load ?? DEFAULT_LOAD,
    itemsMax: options.itemsMax ?? 100,
    bunchItemsMax: options.bunchItemsMax ?? 100,
    escrowItemsMax: options.escrowItemsMax ?? 200,
    explicitShutter: options.explicitShutter ?? false,
    flush: options.flush ?? true,
  });
  const { mode = 'off', nonceTimeoutS = 3_600, keys } = options.security ?? {};
  const security = openSecurity(machine, stateDir, { mode, nonceTimeoutS }, keys);
  const slot = new InputSlot();
  const service = (name: string, halves: Halves, modelName: string) =>
    new Service(runtime, (outlet) => {
      machine.attach(outlet, halves);
      return {
        name,
        model: { modelName, serialNumber: 'KP-0001', modelDescription: 'banknote recycler' },
        interfaces: [
          ...(halves.dispenser ? [dispenserInterface(machine, security)] : []),
          ...(halves.acceptor ? [acceptorInterface(machine, slot)] : []),
          managementInterface(machine, halves),
          storageInterface(machine),
        ],
        status: () => ({
          ...(halves.dispenser && { cashDispenser: dispenserStatus(machine) }),
          ...(halves.acceptor && { cashAcceptor: acceptorStatus(machine) }),
          cashManagement: managementStatus(machine, halves),
        }),
        storage: () => storageView(machine.state),
        common: {
          ...(halves.dispenser
            ? {
                commands: security.common.commands,
                events: security.common.events,
                capabilities: security.common.capabilities,
              }
            : {}),
          status: () => ({
            exchange: machine.state.exchange ? 'active' : 'inactive',
            ...(halves.dispenser && security.common.status()),
          }),
        },
      };
    });
  const services =
    options.arrangement === 'split'
      ? [
          service('CashDispenser1', { dispenser: true, acceptor: false }, 'KP-R1 dispenser'),
          service('CashAcceptor1', { dispenser: false, acceptor: true }, 'KP-R1 acceptor'),
        ]
      : [service('CashRecycler1', { dispenser: true, acceptor: true }, 'KP-R1')];
  return { services, machine, hands: new CashHands(machine, slot), security };
}
