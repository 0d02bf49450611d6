/** XFS4IoT 2024-3, Biometric. Nothing of a person's biometric data is ever logged. */
import { z } from 'zod';
import { dictionary, nothing, number, ofCommand, text, unsolicited } from './lenient.ts';

const DATA_TYPE = z.object({ format: z.string(), algorithm: text, keyName: text });
const RECEIVED_TYPE = z.object({ format: text, algorithm: text, keyName: text });
const CLEAR = z.object({ clearData: z.enum(['scannedData', 'importedData', 'setMatchedData']).optional() });
const MATCH = z.object({
  compareMode: z.enum(['verify', 'identity']),
  identifier: text,
  maximum: z.int().nonnegative().optional(),
  /** 0 to 100. */
  threshold: z.number().min(0).max(100),
});

export const biometricCommands = {
  'Biometric.Read': {
    payload: z.object({
      dataTypes: z.array(DATA_TYPE).optional(),
      /** 0: the device decides. */
      numCaptures: z.int().nonnegative(),
      mode: z.enum(['scan', 'match']).optional(),
    }),
    completion: z.object({
      dataRead: z.array(z.object({ type: RECEIVED_TYPE.optional(), data: text })).optional(),
    }),
  },
  'Biometric.Import': {
    payload: z.object({ templates: z.array(z.object({ type: DATA_TYPE, data: z.string() })).min(1) }),
    completion: z.object({ templates: dictionary(RECEIVED_TYPE, /^id/).optional() }),
  },
  'Biometric.Match': {
    payload: MATCH,
    /** Best first; no match is a success without candidates. */
    completion: z.object({
      candidates: dictionary(z.object({ confidenceLevel: number, templateData: text })).optional(),
    }),
  },
  'Biometric.SetMatch': { payload: MATCH, completion: nothing },
  'Biometric.Clear': { payload: CLEAR, completion: nothing },
  'Biometric.Reset': { payload: CLEAR, completion: nothing },
} as const;

export const biometricEvents = {
  'Biometric.PresentSubjectEvent': ofCommand(nothing),
  'Biometric.SubjectDetectedEvent': ofCommand(nothing),
  'Biometric.RemoveSubjectEvent': ofCommand(nothing),
  'Biometric.SubjectRemovedEvent': unsolicited(nothing),
  'Biometric.DataClearedEvent': unsolicited(z.object({ clearData: text })),
} as const;
