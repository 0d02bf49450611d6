/** For tests: a signer whose signatures nobody can verify, and a match result with nothing special about it. */
import { createHash } from 'node:crypto';
import type { Uuid } from '../../src-contract/primitives.ts';
import type { ResultSigner, UnsignedResult } from './journal.ts';

export function fakeSigner(terminalId: Uuid): ResultSigner {
  const base64url = (text: string) => Buffer.from(text).toString('base64url');
  const sign = async (content: object) => {
    const signed = `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(content))}`;
    return `${signed}.${createHash('sha256').update(signed).digest('base64url')}`;
  };
  return { terminalId, signResult: sign, signErasureReceipt: sign, signProtectionReceipt: sign };
}

export function exampleResult(fields: Partial<UnsignedResult> = {}): UnsignedResult {
  return {
    service: 'balance',
    transactionId: null,
    amount: null,
    outcome: 'refused',
    reason: 'nobody',
    personId: null,
    comparison: { score: 0.2, runnerUpScore: null, gallerySize: 1, estimatedFmr: 0.03, model: null },
    challenge: null,
    claimed: null,
    liveness: { frames: 12, passive: 0.98, cues: [], decision: 'live' },
    secondFactor: 'none',
    presentedFace: null,
    mode: 'online',
    models: [{ role: 'embedder', sha256: 'a'.repeat(64) }],
    policyVersion: 'test-1',
    ...fields,
  };
}
