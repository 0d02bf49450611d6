/**
 * Guide lights over XFS4IoT (2024-3, Lights). A place whose light the machine does not have stays dark, which is no error: the
 * screen says the same. Flashing is slow or medium, 2 Hz at most, which is safe for everybody's eyes.
 */
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { LightPattern, LightPosition, Lights } from '../lights.ts';
import type { Xfs4IotService } from './client/index.ts';
import { type Failure, QUERY_MS_MAX, sentenceOf, XfsDriver } from './driver.ts';
import type { ServiceLink } from './service-link.ts';

/** Names of the standard for our places, the best first. It has none for the camera that looks at faces. */
const LIGHTS: Readonly<Record<LightPosition, readonly string[]>> = {
  camera: ['faceCamera', 'camera', 'fasciaLight'],
  pinPad: ['pinPad'],
  cashOutput: ['notesDispenser', 'notesDispenser2'],
  cashInput: ['billAcceptor', 'billAcceptor2'],
  receipt: ['receiptPrinter'],
  status: ['statusInService', 'statusGood'],
};

const FLASH_RATES: Readonly<Record<LightPattern, 'off' | 'continuous' | 'slow' | 'medium'>> = {
  off: 'off',
  continuous: 'continuous',
  slowFlash: 'slow',
  quickFlash: 'medium',
};

/** Where the customer puts something in, or takes something out. */
const DIRECTIONS: Partial<Readonly<Record<LightPosition, 'entry' | 'exit'>>> = {
  cashInput: 'entry',
  cashOutput: 'exit',
  receipt: 'exit',
};

export class XfsLights extends XfsDriver implements Lights {
  constructor(link: ServiceLink, clock: Clock) {
    super('lights', link, clock);
  }

  set(position: LightPosition, pattern: LightPattern): Promise<void> {
    return this.inTurn(this.closed, async (signal) => {
      const service = this.needConnected();
      const setting = settingOf(service, position, pattern);
      if (setting === null) return;
      const answer = await service.command('Lights.SetLight', setting, { timeoutMs: QUERY_MS_MAX, signal });
      if (answer.code === 'success') return;
      throw new TerminalError('DEVICE_FAILED', `lights: ${position} was answered ${sentenceOf(answer as Failure)}`);
    });
  }
}

/** Null where the machine has no such light. */
function settingOf({ capabilities }: Xfs4IotService, position: LightPosition, pattern: LightPattern) {
  const fitted = capabilities.lights?.lights ?? {};
  const name = LIGHTS[position].find((light) => Object.keys(fitted[light] ?? {}).length > 0);
  if (name === undefined) return null;
  const [place, can] = Object.entries(fitted[name] ?? {})[0] ?? [];
  if (place === undefined) return null;
  const wanted = FLASH_RATES[pattern];
  // A light that cannot flash at this rate shines.
  const flashRate = wanted === 'off' || can?.flashRate?.[wanted] === true ? wanted : ('continuous' as const);
  const direction = DIRECTIONS[position];
  return {
    [name]: {
      [place]: {
        flashRate,
        ...(can?.color?.green === true ? { color: 'green' as const } : {}),
        ...(direction !== undefined && can?.direction?.[direction] === true ? { direction } : {}),
      },
    },
  };
}
