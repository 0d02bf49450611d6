/**
 * Which camera it is. Chromium names one by what its driver calls it and, over USB, by vendor and product ("HD Pro Webcam C920
 * (046d:082d)"); the page can tell nothing more that lasts, because a deviceId is another one for each address of the page. The serial number
 * comes from the kernel, which also knows which cameras are programs (attached.ts).
 */
import { z } from 'zod';

export const CameraIdentity = z.strictObject({
  /** As the browser names it. */
  label: z.string().min(1).max(300),
  /** USB vendor and product, "046d:082d"; null where the label has none. */
  model: z
    .string()
    .regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/)
    .nullable(),
  /** The one that the device itself states, by the kernel; null where none is known, or several of its model are attached. */
  serial: z.string().max(200).nullable(),
});
export type CameraIdentity = z.infer<typeof CameraIdentity>;

/** A camera as the kernel has it. */
export interface AttachedCamera {
  readonly name: string;
  readonly model: string | null;
  readonly serial: string | null;
  /** Made by a driver without hardware, such as v4l2loopback. */
  readonly virtual: boolean;
}

/** Why a camera is not looked through. */
export type CameraObjection =
  /** A program that says it is a camera. */
  | 'virtual'
  /** The kernel knows none of this name. */
  | 'not-attached'
  /** Another one than was pinned. */
  | 'changed';

/**
 * Programs that say they are cameras, by how they name themselves; and Chromium's own: its fake device and a file that plays as one, whose
 * label is the file's path. Who writes such a program can give it any name: the kernel's word and the pin stand behind this list.
 */
const VIRTUAL =
  /\bOBS\b|v4l2.?loopback|dummy video|loopback|virtual|manycam|snap ?camera|xsplit|e2esoft|v-?cam\b|droidcam|iriun|epoccam|camtwist|\bcamo\b|\bndi\b|mmhmm|unity video|altercam|splitcam|youcam|sparkocam|webcamoid|screen ?capture|fake.?device|\.(mjpe?g|y4m)\b|^\//i;

/** @param attached null on a system whose kernel is not asked */
export function identify(
  label: string,
  attached: readonly AttachedCamera[] | null,
): { readonly identity: CameraIdentity; readonly objection: 'virtual' | 'not-attached' | null } {
  const model = /\(([0-9a-f]{4}:[0-9a-f]{4})\)\s*$/i.exec(label)?.[1]?.toLowerCase() ?? null;
  const name = label.replace(/\s*\([0-9a-f]{4}:[0-9a-f]{4}\)\s*$/i, '');
  const matches = (attached ?? []).filter((one) => (model === null ? one.name === name : one.model === model));
  const [only, ...others] = matches;
  const serial = only && others.length === 0 ? only.serial : null;
  const identity = { label: label.slice(0, 300) || 'a camera without a name', model, serial };
  if (VIRTUAL.test(label) || matches.some((one) => one.virtual)) return { identity, objection: 'virtual' };
  if (attached !== null && matches.length === 0) return { identity, objection: 'not-attached' };
  return { identity, objection: null };
}

/** Whether this is the pinned one. A serial number that was pinned has to be there again; one that is known only now contradicts nothing. */
export function isSame(pinned: CameraIdentity, opened: CameraIdentity): boolean {
  if (pinned.label !== opened.label || pinned.model !== opened.model) return false;
  return pinned.serial === opened.serial || (pinned.serial === null && opened.serial !== null && pinned.model !== null);
}

export function cameraInWords({ label, serial }: CameraIdentity): string {
  return serial === null ? `"${label}"` : `"${label}", serial number ${serial}`;
}
