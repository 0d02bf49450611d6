/**
 * Surveillance pictures over XFS4IoT (2024-3, Camera), where a machine has such cameras: evidence for a suspect transaction. They
 * are not the camera that looks at faces, and what they see is never compared with a template. Never logged.
 */
import { QUERY_MS_MAX } from './driver.ts';
import type { ServiceLink } from './service-link.ts';

export type SurveillanceView = 'room' | 'person' | 'exitSlot';

export interface SurveillanceCamera {
  /** One picture as the device makes it (the standard names no format; JPEG or PNG by its first bytes); null where this view has
   *  no camera, or it gave none. */
  picture(view: SurveillanceView, signal: AbortSignal): Promise<Uint8Array | null>;
}

export function surveillanceCamera(link: ServiceLink): SurveillanceCamera {
  return {
    picture: async (view, signal) => {
      signal.throwIfAborted();
      const service = link.service();
      if (service?.state() !== 'connected' || service.capabilities.camera?.cameras?.[view] !== true) return null;
      const answer = await service.command('Camera.TakePicture', { camera: view }, { timeoutMs: QUERY_MS_MAX, signal });
      signal.throwIfAborted();
      const file = answer.code === 'success' ? answer.payload.pictureFile : undefined;
      return file === undefined ? null : new Uint8Array(Buffer.from(file, 'base64'));
    },
  };
}
