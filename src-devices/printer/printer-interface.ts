/** The messages of XFS4IoT 2024-3, Printer, as a receipt printer has them: no forms, no retract bins. */
import { z } from 'zod';
import { type CommandContext, command, done, type Interface, type Outcome } from '../command.ts';

const MediaControl = z.object({
  move: z.enum(['eject', 'retract', 'park', 'expel', 'ejectToTransport', 'stack']).nullish(),
  perforate: z.boolean().nullish(),
  cut: z.boolean().nullish(),
  skip: z.boolean().nullish(),
  flush: z.boolean().nullish(),
  partialCut: z.boolean().nullish(),
  alarm: z.boolean().nullish(),
  turnMedia: z.boolean().nullish(),
  stamp: z.boolean().nullish(),
  rotate180: z.boolean().nullish(),
  turnPage: z.enum(['forward', 'backward']).nullish(),
});
export type MediaControl = z.output<typeof MediaControl>;

/** What ControlMedia does here; anything else asked for is unsupportedData. */
export const CONTROL: ReadonlySet<string> = new Set(['eject', 'expel', 'cut', 'partialCut', 'flush']);
const ALL_CONTROL = [
  'eject',
  'perforate',
  'cut',
  'skip',
  'flush',
  'retract',
  'stack',
  'partialCut',
  'alarm',
  'pageForward',
  'pageBackward',
  'turnMedia',
  'stamp',
  'park',
  'expel',
  'ejectToTransport',
  'rotate180',
  'clearBuffer',
] as const;

export interface PrinterActs {
  printRaw(bytes: Uint8Array): Promise<Outcome>;
  controlMedia(control: MediaControl, context: CommandContext): Promise<Outcome>;
  retract(): Promise<Outcome>;
  reset(expel: boolean): Promise<Outcome>;
  replenished(): Outcome;
}

export function printerInterface(acts: PrinterActs): Interface {
  return {
    name: 'Printer',
    events: [
      'Printer.MediaPresentedEvent',
      'Printer.MediaTakenEvent',
      'Printer.MediaDetectedEvent',
      'Printer.PaperThresholdEvent',
    ],
    capabilities: () => ({
      type: { receipt: true, passbook: false, journal: false, document: false, scanner: false },
      control: Object.fromEntries(ALL_CONTROL.map((name) => [name, CONTROL.has(name)])),
      paperSources: { upper: true, lower: false, external: false, aux: false, aux2: false, park: false },
      mediaTaken: true,
      mediaPresented: true,
      autoRetractPeriod: 0,
      retractToTransport: true,
      acceptMedia: false,
      multiPage: false,
      dispensePaper: false,
    }),
    commands: {
      'Printer.PrintRaw': command(z.object({ inputData: z.enum(['no', 'yes']), data: z.base64() }), ({ data }) =>
        acts.printRaw(Buffer.from(data, 'base64')),
      ),
      'Printer.ControlMedia': command(z.object({ mediaControl: MediaControl }), ({ mediaControl }, context) =>
        acts.controlMedia(mediaControl, context),
      ),
      'Printer.RetractMedia': command(z.object({ mediaControl: z.literal('transport').nullish() }), () =>
        acts.retract(),
      ),
      'Printer.Reset': command(z.object({ mediaControl: z.enum(['eject', 'expel']).nullish() }), ({ mediaControl }) =>
        acts.reset(mediaControl === 'expel'),
      ),
      'Printer.SupplyReplenish': command(z.object({ upper: z.boolean().nullish() }), ({ upper }) =>
        upper ? acts.replenished() : done(),
      ),
    },
  };
}
