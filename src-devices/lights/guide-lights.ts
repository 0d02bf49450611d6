/** Guide lights around the fascia (XFS4IoT 2024-3, Lights). They are dark after a power cut. */
import { z } from 'zod';
import { command, done, failed } from '../command.ts';
import type { Payload } from '../envelope.ts';
import { faultKind } from '../faults.ts';
import { type Runtime, Service } from '../service.ts';

const FLASH_RATES = ['off', 'slow', 'medium', 'quick', 'continuous'] as const;
const COLORS = ['red', 'green', 'yellow', 'blue', 'cyan', 'magenta', 'white'] as const;
const DIRECTIONS = ['entry', 'exit'] as const;

export const lightFailure = faultKind('lightFailure', 'The lights do not obey a SetLight: errorCode lightError.', {});

export interface Lamp {
  readonly flashRate: (typeof FLASH_RATES)[number];
  readonly color: (typeof COLORS)[number];
  readonly direction?: (typeof DIRECTIONS)[number] | undefined;
}

const Setting = z.object({
  flashRate: z.enum(FLASH_RATES),
  color: z.enum(COLORS).nullish(),
  direction: z.enum(DIRECTIONS).nullish(),
});
const SetLight = z
  .record(z.string().max(40), z.record(z.string().max(20), Setting))
  .refine((lights) => Object.keys(lights).length > 0, 'at least one light');

const everyOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, true]));

export class GuideLights {
  readonly service: Service;
  readonly #lamps: Map<string, Lamp>;

  /** Standard light names, each with the one position `default`. */
  constructor(runtime: Runtime, names: readonly string[]) {
    this.#lamps = new Map(names.map((name) => [name, { flashRate: 'off', color: 'white' }]));
    this.service = new Service(runtime, ({ changed }) => ({
      name: 'Lights1',
      model: { modelName: 'GL-9', serialNumber: 'GL9-0001', modelDescription: 'Guide lights' },
      status: () => ({ lights: this.#status() }),
      interfaces: [
        {
          name: 'Lights',
          events: [],
          capabilities: () => ({
            individualFlashRates: true,
            lights: Object.fromEntries(
              names.map((name) => [
                name,
                {
                  default: { flashRate: everyOf(FLASH_RATES), color: everyOf(COLORS), direction: everyOf(DIRECTIONS) },
                },
              ]),
            ),
          }),
          commands: {
            'Lights.SetLight': command(SetLight, (lights) => {
              for (const [name, positions] of Object.entries(lights)) {
                const strange = Object.keys(positions).find((position) => position !== 'default');
                if (!this.#lamps.has(name) || strange) return failed('invalidLight', `${name}.${strange ?? 'default'}`);
              }
              if (runtime.faults.strikes(lightFailure)) return failed('lightError', 'a fault that was armed');
              for (const [name, { default: setting }] of Object.entries(lights)) {
                if (!setting) continue;
                const { flashRate, color, direction } = setting;
                const lamp = { flashRate, color: color ?? this.#lamps.get(name)!.color };
                this.#lamps.set(name, direction ? { ...lamp, direction } : lamp);
              }
              changed();
              return done();
            }),
          },
        },
      ],
    }));
  }

  lamps(): Readonly<Record<string, Lamp>> {
    return Object.fromEntries(this.#lamps);
  }

  #status(): Payload {
    return Object.fromEntries([...this.#lamps].map(([name, lamp]) => [name, { default: lamp }]));
  }
}
