/** Which version of a message to put into the header (XFS4IoT 2024-3, version negotiation). */

/** Major versions up to edition 2024-3. */
const MAJOR_KNOWN = 3;
const VERSION = /^([1-9][0-9]*)\.([1-9][0-9]*|0)$/;

/** Tried one after the other while a service has not told what it lists. */
export const BOOTSTRAP_VERSIONS = ['2.0', '3.0', '1.0'] as const;

/** The highest listed version of a major this client knows; null when there is none. Services compare the whole string. */
export function chooseVersion(listed: readonly string[]): string | null {
  let best: { major: number; minor: number; version: string } | null = null;
  for (const version of listed) {
    const match = VERSION.exec(version);
    if (!match) continue;
    const [major, minor] = [Number(match[1]), Number(match[2])];
    if (major > MAJOR_KNOWN) continue;
    if (!best || major > best.major || (major === best.major && minor > best.minor)) best = { major, minor, version };
  }
  return best?.version ?? null;
}
