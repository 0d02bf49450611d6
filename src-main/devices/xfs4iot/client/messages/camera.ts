/** XFS4IoT 2024-3, Camera: surveillance cameras, not the one that looks at faces. */
import { z } from 'zod';
import { nothing, ofCommand, oneOf, text, unsolicited } from './lenient.ts';

export const cameraCommands = {
  'Camera.TakePicture': {
    payload: z.object({ camera: z.string(), camData: text }),
    /** base64; the image format is not declared. Never logged. */
    completion: z.object({ pictureFile: text }),
  },
  'Camera.Reset': { payload: nothing, completion: nothing },
} as const;

export const cameraEvents = {
  /** The text was cut or invalid; the picture is taken all the same. */
  'Camera.InvalidDataEvent': ofCommand(nothing),
  'Camera.MediaThresholdEvent': unsolicited(z.object({ mediaThreshold: oneOf(['ok', 'high', 'full']) })),
} as const;
