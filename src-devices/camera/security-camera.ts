/**
 * The surveillance cameras of the cabinet (XFS4IoT 2024-3, Camera). Pictures are drawn, never taken: an empty room with the time
 * and the given text in it.
 */
import sharp from 'sharp';
import { z } from 'zod';
import { type CommandContext, command, done, failed, type Outcome } from '../command.ts';
import { faultKind } from '../faults.ts';
import { type Runtime, Service } from '../service.ts';
import type { StateFile } from '../state-file.ts';

export const CameraState = z.strictObject({
  /** Pictures on the medium, by camera. */
  pictures: z.strictObject({ person: z.int().nonnegative(), exitSlot: z.int().nonnegative() }),
});
type CameraState = z.infer<typeof CameraState>;
export const NEW_CAMERA: CameraState = { pictures: { person: 0, exitSlot: 0 } };

export const cameraBroken = faultKind('cameraBroken', 'A camera takes no picture: errorCode cameraInoperable.', {});

const CAMERAS = ['person', 'exitSlot'] as const;
type CameraName = (typeof CAMERAS)[number];
/** Pictures the medium has room for. */
const PICTURES_MAX = 1_000;
const PICTURES_HIGH = 900;
/** Bytes of text in a picture; more is cut (InvalidDataEvent). */
const TEXT_MAX = 60;
const SHUTTER_MS = 150;

export class SecurityCamera {
  readonly service: Service;
  readonly #runtime: Runtime;
  readonly #file: StateFile<CameraState>;
  readonly #broken = new Set<CameraName>();
  #last: Buffer | null = null;

  constructor(runtime: Runtime, file: StateFile<CameraState>) {
    this.#runtime = runtime;
    this.#file = file;
    this.service = new Service(runtime, () => ({
      name: 'Camera1',
      model: { modelName: 'CM-2', serialNumber: 'CM2-0001', modelDescription: 'Surveillance cameras' },
      status: () => {
        const broken = runtime.dialect().cameraInoperative;
        return {
          camera: {
            media: Object.fromEntries(CAMERAS.map((name) => [name, this.#media()])),
            cameras: Object.fromEntries(CAMERAS.map((name) => [name, this.#broken.has(name) ? broken : 'ok'])),
            pictures: this.#file.value.pictures,
          },
        };
      },
      interfaces: [
        {
          name: 'Camera',
          events: ['Camera.InvalidDataEvent', 'Camera.MediaThresholdEvent'],
          capabilities: () => ({
            cameras: { room: false, person: true, exitSlot: true },
            maxPictures: PICTURES_MAX,
            camData: { autoAdd: true, manAdd: true },
            maxDataLength: TEXT_MAX,
          }),
          commands: {
            'Camera.TakePicture': command(
              z.object({ camera: z.string().max(40), camData: z.string().max(1_000).nullish() }),
              ({ camera, camData }, context) => this.#takePicture(camera, camData ?? '', context),
            ),
            'Camera.Reset': command(z.object({}), () => {
              this.#broken.clear();
              this.service.changed();
              return done();
            }),
          },
        },
      ],
    }));
  }

  /** The last picture since the start, PNG. */
  last(): Buffer | null {
    return this.#last;
  }

  pictures(): number {
    return CAMERAS.reduce((sum, name) => sum + this.#file.value.pictures[name], 0);
  }

  /** A hand empties the medium. */
  emptyMedium(): void {
    this.#count({ person: 0, exitSlot: 0 });
  }

  async #takePicture(camera: string, text: string, context: CommandContext): Promise<Outcome> {
    const name = CAMERAS.find((known) => known === camera);
    if (!name) return failed('cameraNotSupported', `there is no camera ${camera}`);
    if (this.#runtime.faults.strikes(cameraBroken)) {
      this.#broken.add(name);
      this.service.changed();
    }
    if (this.#broken.has(name)) return failed('cameraInoperable');
    if (this.pictures() >= PICTURES_MAX) return failed('mediaFull');
    await this.#runtime.act(SHUTTER_MS);
    if (text.length > TEXT_MAX) context.event('Camera.InvalidDataEvent');
    this.#last = await draw(name, this.#runtime.clock.now(), text.slice(0, TEXT_MAX));
    const { pictures } = this.#file.value;
    this.#count({ ...pictures, [name]: pictures[name] + 1 });
    return done({ pictureFile: this.#last.toString('base64') });
  }

  #count(pictures: CameraState['pictures']): void {
    const before = this.#media();
    this.#file.set({ pictures });
    const mediaThreshold = this.#media();
    if (mediaThreshold !== before) this.service.unsolicited('Camera.MediaThresholdEvent', { mediaThreshold });
    this.service.changed();
  }

  /** All cameras share one medium. */
  #media(): 'ok' | 'high' | 'full' {
    const taken = this.pictures();
    return taken >= PICTURES_MAX ? 'full' : taken >= PICTURES_HIGH ? 'high' : 'ok';
  }
}

const STAMP = new Intl.DateTimeFormat('en-CA', {
  dateStyle: 'short',
  timeStyle: 'medium',
  hourCycle: 'h23',
  timeZone: 'UTC',
});

async function draw(camera: CameraName, atMs: number, text: string): Promise<Buffer> {
  const scene =
    camera === 'person'
      ? '<path d="M0 300L150 210H490L640 300V480H0Z" fill="#6c7a86"/><rect x="250" y="120" width="140" height="90" fill="#b7c6d1"/>'
      : '<rect x="120" y="230" width="400" height="60" rx="10" fill="#20272e"/><rect x="150" y="252" width="340" height="14" fill="#59636c"/>';
  const line = (content: string, y: number) =>
    `<text x="16" y="${y}" font-family="monospace" font-size="20" fill="#fff">${escaped(content)}</text>`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="#8c99a4"/>` +
    `${scene}${line(`${camera}  ${STAMP.format(atMs)} UTC`, 32)}${line(text, 464)}</svg>`;
  return await sharp(Buffer.from(svg)).png().toBuffer();
}

const escaped = (text: string) =>
  text.replace(/[<>&"']/g, (letter) => `&#${letter.charCodeAt(0)};`).replace(/[^\x20-\x7e]/g, '?');
