/**
 * A fingerprint unit (XFS4IoT 2024-3, Biometric). Hands put a subject on it, and whose finger it is is all there is to it: a
 * captured template is the subject's name in a fixed wrapping, and matching compares names. It does what the messages ask and has no
 * biometric performance at all; nothing may be concluded from its scores.
 */
import { z } from 'zod';
import { type CommandContext, command, done, ended, failed, type Outcome } from '../command.ts';
import { untilHands } from '../hands.ts';
import { type Runtime, Service } from '../service.ts';

const FORMAT = 'reservedTemplate1';
const HEADER = 'simulated-template-1:';
const TEMPLATES_MAX = 100;
const CAPTURE_MS = 400;

const DataType = z.object({ format: z.string(), algorithm: z.string().nullish(), keyName: z.string().nullish() });
const Data = z.object({ type: DataType, data: z.base64() });
const Match = z.object({
  compareMode: z.enum(['verify', 'identity']),
  identifier: z.string().nullish(),
  maximum: z.int().min(0).nullish(),
  threshold: z.int(),
});

interface Imported {
  readonly id: string;
  readonly data: string;
}

export class BiometricUnit {
  readonly service: Service;
  readonly #runtime: Runtime;
  #subject: string | null = null;
  #captured: string | null = null;
  #imported: readonly Imported[] = [];
  readonly #arrivals = new Set<() => void>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.service = new Service(runtime, ({ changed }) => ({
      name: 'Biometric1',
      model: { modelName: 'FP-1', serialNumber: 'FP1-0001', modelDescription: 'Fingerprint unit, no real matching' },
      status: () => ({
        biometric: {
          subject: this.#subject === null ? 'notPresent' : 'present',
          capture: this.#captured !== null,
          dataPersistence: 'clear',
          remainingStorage: TEMPLATES_MAX - this.#imported.length,
        },
      }),
      interfaces: [
        {
          name: 'Biometric',
          events: [
            'Biometric.PresentSubjectEvent',
            'Biometric.SubjectDetectedEvent',
            'Biometric.RemoveSubjectEvent',
            'Biometric.SubjectRemovedEvent',
            'Biometric.DataClearedEvent',
          ],
          capabilities: () => ({
            type: { fingerprint: true },
            maxCapture: 1,
            templateStorage: TEMPLATES_MAX,
            dataFormats: { [FORMAT]: true },
            persistenceModes: { persist: false, clear: true },
            matchSupported: 'storedMatch',
            scanModes: { scan: true, match: true },
            compareModes: { verify: true, identity: true },
            clearData: { scannedData: true, importedData: true, setMatchedData: false },
          }),
          commands: {
            'Biometric.Read': command(
              z.object({
                dataTypes: z.array(DataType).nullish(),
                numCaptures: z.int().min(0),
                mode: z.enum(['scan', 'match']).nullish(),
              }),
              ({ dataTypes, numCaptures }, context) => {
                if (numCaptures > 1) return ended('unsupportedData', 'numCaptures: this unit captures once');
                if (dataTypes?.some(({ format }) => format !== FORMAT)) return failed('formatNotSupported');
                return this.#read((dataTypes ?? []).length > 0, context);
              },
            ),
            'Biometric.Import': command(z.object({ templates: z.array(Data).min(1) }), ({ templates }) => {
              if (templates.some(({ type }) => type.format !== FORMAT)) return failed('formatNotSupported');
              if (templates.length > TEMPLATES_MAX) return failed('capacityExceeded');
              if (templates.some(({ data }) => nameIn(data) === null)) return failed('invalidData');
              this.#imported = templates.map(({ data }, index) => ({ id: `id${index + 1}`, data }));
              changed();
              return done({ templates: Object.fromEntries(this.#imported.map(({ id }) => [id, { format: FORMAT }])) });
            }),
            'Biometric.GetStorageInfo': command(z.object({}), () =>
              done({ templates: Object.fromEntries(this.#imported.map(({ id }) => [id, { format: FORMAT }])) }),
            ),
            'Biometric.Match': command(Match, (order) => this.#match(order)),
            'Biometric.Clear': command(
              z.object({ clearData: z.enum(['scannedData', 'importedData', 'setMatchedData']).nullish() }),
              ({ clearData }) => this.#clear(clearData ?? null),
            ),
            'Biometric.Reset': command(z.object({ clearData: z.string().nullish() }), () => this.#clear(null)),
          },
        },
      ],
    }));
  }

  subject(): string | null {
    return this.#subject;
  }

  /** A finger is put on (by whose name) or taken off (null). */
  present(subject: string | null): void {
    const was = this.#subject;
    this.#subject = subject;
    if (was !== null && subject === null) this.service.unsolicited('Biometric.SubjectRemovedEvent');
    this.service.changed();
    if (subject !== null) for (const arrived of [...this.#arrivals]) arrived();
  }

  async #read(withData: boolean, context: CommandContext): Promise<Outcome> {
    if (this.#subject === null) {
      context.event('Biometric.PresentSubjectEvent');
      await untilHands<void>(context.signal, (arrived) => {
        this.#arrivals.add(arrived);
        return () => this.#arrivals.delete(arrived);
      });
    }
    await this.#runtime.act(CAPTURE_MS, context.signal);
    const subject = this.#subject;
    if (subject === null) return failed('readFailed', 'the subject went before the capture was done');
    context.event('Biometric.SubjectDetectedEvent');
    this.#captured = Buffer.from(HEADER + subject).toString('base64');
    context.event('Biometric.RemoveSubjectEvent');
    this.service.changed();
    return done(withData ? { dataRead: [{ type: { format: FORMAT }, data: this.#captured }] } : undefined);
  }

  #match({ compareMode, identifier, maximum, threshold }: z.output<typeof Match>): Outcome {
    if (threshold < 0 || threshold > 100) return failed('invalidThreshold');
    if (this.#imported.length === 0) return failed('noImportedData');
    const captured = this.#captured === null ? null : nameIn(this.#captured);
    if (captured === null) return failed('noCaptureData');
    const one = compareMode === 'verify' ? this.#imported.find(({ id }) => id === identifier) : undefined;
    if (compareMode === 'verify' && !one) return failed('invalidIdentifier');
    const candidates = (one ? [one] : this.#imported)
      .filter(({ data }) => nameIn(data) === captured)
      .slice(0, compareMode === 'identity' && maximum ? maximum : undefined)
      .map(({ id }) => [id, { confidenceLevel: 100 }] as const);
    return done(candidates.length > 0 ? { candidates: Object.fromEntries(candidates) } : undefined);
  }

  #clear(which: 'scannedData' | 'importedData' | 'setMatchedData' | null): Outcome {
    if (which === null || which === 'scannedData') this.#captured = null;
    if (which === null || which === 'importedData') this.#imported = [];
    this.service.unsolicited('Biometric.DataClearedEvent', { clearData: which });
    this.service.changed();
    return done();
  }
}

/** The subject in a template, or null when it is none of this unit's. */
function nameIn(data: string): string | null {
  const text = Buffer.from(data, 'base64').toString('utf8');
  return text.startsWith(HEADER) ? text.slice(HEADER.length) : null;
}
