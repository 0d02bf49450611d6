/** Signatures of terminals: JWS compact, EdDSA over Ed25519 (RFC 8037), by the key that a terminal registered. */
import { type CompactJWSHeaderParameters, compactVerify, importJWK } from 'jose';

/** Keys kept ready, each some hundred bytes; the one made first gives way. A terminal asks every few seconds. */
const KEYS_MAX = 10_000;
const keys = new Map<string, ReturnType<typeof importJWK>>();

/**
 * What this terminal signed. Throws jose's error when the signature does not verify, or the key is none.
 *
 * @param signingKey Ed25519 public key: x of its JWK, base64url.
 */
export async function verifySigned(
  jws: string,
  { signingKey }: { readonly signingKey: string },
): Promise<{ readonly payload: Uint8Array; readonly protectedHeader: CompactJWSHeaderParameters }> {
  return await compactVerify(jws, await keyOf(signingKey), { algorithms: ['EdDSA'] });
}

function keyOf(x: string): ReturnType<typeof importJWK> {
  const known = keys.get(x);
  if (known) return known;
  const made = importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA');
  made.catch(() => keys.delete(x));
  const [oldest] = keys.keys();
  if (oldest !== undefined && keys.size >= KEYS_MAX) keys.delete(oldest);
  keys.set(x, made);
  return made;
}
