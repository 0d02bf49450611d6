/** Our page may use the camera. Nobody may use anything else. */
import type { Session } from 'electron';
import { isOurs } from './channels.ts';

export function restrictPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, decide, details) => {
    const media = 'mediaTypes' in details ? (details.mediaTypes ?? []) : [];
    const videoOnly = media.length > 0 && media.every((type) => type === 'video');
    decide(permission === 'media' && videoOnly && details.isMainFrame && isOurs(details.requestingUrl));
  });
  session.setPermissionCheckHandler(
    (_contents, permission, origin, details) =>
      permission === 'media' && details.mediaType === 'video' && isOurs(origin),
  );
  session.setDevicePermissionHandler(() => false);
  // Nothing to download, nothing to ask the network: the page's files come by our own scheme.
  session.on('will-download', (event) => event.preventDefault());
  session.webRequest.onBeforeRequest((details, decide) => decide({ cancel: !isAllowed(details.url) }));
}

function isAllowed(url: string): boolean {
  return isOurs(url) || url.startsWith('data:') || url.startsWith(`blob:`);
}
