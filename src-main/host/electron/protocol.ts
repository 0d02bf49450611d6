/** kaopass://terminal/: the same files and headers as under Chromium, without a server anyone else could reach. */
import { Readable } from 'node:stream';
import { protocol, type Session } from 'electron';
import { type ContentRoots, openContent, securityHeaders } from '../content.ts';
import { isOurs, SCHEME } from './channels.ts';

/** Makes the scheme a secure, standard origin, as a camera and an origin check need. Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
  ]);
}

/** Answers one request. Exported for its test. */
export async function answer(request: Request, roots: ContentRoots): Promise<Response> {
  const security = securityHeaders([]);
  if (request.method !== 'GET' || !isOurs(request.url)) return new Response(null, { status: 403, headers: security });
  const { pathname } = new URL(request.url);
  const { status, headers, body } = await openContent(roots, pathname, request.headers.get('range'));
  const stream = body?.open.createReadStream({ start: body.range.first, end: body.range.last });
  const payload = stream ? (Readable.toWeb(stream) as ReadableStream<Uint8Array<ArrayBuffer>>) : null;
  return new Response(payload, { status, headers: { ...security, ...headers } });
}

export function serveContent(session: Session, roots: ContentRoots): void {
  session.protocol.handle(SCHEME, (request) => answer(request, roots));
}
