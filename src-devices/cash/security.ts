/** End-to-end security of a cash machine: keys, the guard of its dispenses, and what of it shows in XFS4IoT Common. */
import { z } from 'zod';
import { type CommandHandler, command, done } from '../command.ts';
import type { Payload } from '../envelope.ts';
import { DispenseGuard, type SecurityOptions } from '../security/dispense-guard.ts';
import { KeyStore, type SecurityKeys } from '../security/keys.ts';
import type { CashMachine } from './machine.ts';

export interface CashSecurity {
  readonly mode: SecurityOptions['mode'];
  readonly keys: KeyStore;
  readonly guard: DispenseGuard;
  /** An operator loads keys; the machine tells its clients. */
  loadKeys(keys: SecurityKeys): void;
  loseKeys(): void;
  readonly common: {
    readonly commands: Readonly<Record<string, CommandHandler>>;
    readonly events: readonly string[];
    capabilities(): Payload;
    status(): Payload;
  };
}

export function openSecurity(
  machine: CashMachine,
  stateDir: string,
  options: SecurityOptions,
  loaded?: SecurityKeys,
): CashSecurity {
  const keys = new KeyStore(stateDir, loaded);
  const guard = new DispenseGuard({
    options,
    keys,
    clock: machine.runtime.clock,
    chance: machine.chance,
    dialect: () => machine.runtime.dialect(),
    countNonce: () => {
      machine.change((draft) => {
        draft.nonces++;
      });
      return machine.state.nonces;
    },
    cleared: (reasonDescription) => machine.unsolicited('dispenser', 'Common.NonceClearedEvent', { reasonDescription }),
  });
  // The nonce goes with the power, and its timer with it.
  machine.runtime.power.addEventListener('abort', () => guard.clear());
  const Nothing = z.object({});
  const supported = options.mode !== 'off';
  return {
    mode: options.mode,
    keys,
    guard,
    loadKeys: (next) => {
      keys.load(next);
      machine.notify();
    },
    loseKeys: () => {
      keys.erase();
      machine.notify();
    },
    common: {
      commands: supported
        ? {
            'Common.GetCommandNonce': command(Nothing, () => done({ commandNonce: guard.commandNonce() })),
            'Common.ClearCommandNonce': command(Nothing, () => {
              guard.clear();
              return done();
            }),
          }
        : {},
      events: supported ? ['Common.NonceClearedEvent'] : [],
      capabilities: () => {
        const words =
          machine.runtime.dialect().notSupported === 'literal' ? { responseSecurityEnabled: 'notSupported' } : {};
        if (options.mode === 'off') return {};
        return {
          endToEndSecurity: {
            required: options.mode,
            hardwareSecurityElement: false,
            ...(keys.device() || options.mode === 'always' ? { responseSecurityEnabled: options.mode } : words),
            commands: ['CashDispenser.Dispense'],
            commandNonceTimeout: options.nonceTimeoutS,
          },
        };
      },
      status: () => {
        const endToEndSecurity = guard.status();
        return endToEndSecurity ? { endToEndSecurity } : {};
      },
    },
  };
}
