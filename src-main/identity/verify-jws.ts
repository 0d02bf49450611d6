/** Whether something was signed by one terminal's key. Offline: the key is all it takes. */
import { type KeyObject, verify } from 'node:crypto';

/**
 * The payload of a compact JWS (RFC 7515, 7.1) by Ed25519 (RFC 8037) of this type, as JSON; or what is wrong with it, in words.
 * @param kid the terminal it must name.
 */
export function verifyJws(
  jws: string,
  { key, typ, kid }: { readonly key: KeyObject; readonly typ: string; readonly kid: string | null },
): { readonly payload: unknown } | { readonly wrong: string } {
  const [header = '', payload = '', signature = '', ...rest] = jws.split('.');
  const claimed = json(header) as { alg?: unknown; typ?: unknown; kid?: unknown } | undefined;
  if (rest.length > 0 || !claimed || typeof claimed !== 'object') return { wrong: 'is no signed text' };
  if (claimed.alg !== 'EdDSA' || claimed.typ !== typ) return { wrong: `is not signed as ${typ}` };
  if (kid !== null && claimed.kid !== kid) return { wrong: 'is signed in the name of another terminal' };
  if (!verify(null, Buffer.from(`${header}.${payload}`, 'ascii'), key, Buffer.from(signature, 'base64url'))) {
    return { wrong: "has a signature that is not of this terminal's key" };
  }
  const content = json(payload);
  return content === undefined ? { wrong: 'holds no JSON' } : { payload: content };
}

function json(base64url: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
