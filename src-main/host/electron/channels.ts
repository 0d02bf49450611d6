/**
 * Every IPC channel there is between page and terminal. The preload script runs in the sandbox and can import nothing of ours,
 * so it repeats the names; its type makes the compiler compare them.
 */
export const CHANNELS = {
  /** Page → terminal, answered: one IntentMessage. */
  intent: 'kaopass:intent',
  /** Page → terminal: one frame message, when one was wanted. */
  frame: 'kaopass:frame',
  /** Page → terminal: the page listens; say what is to be said. */
  ready: 'kaopass:ready',
  /** Terminal → page: a View. */
  view: 'kaopass:view',
  /** Terminal → page: nothing else. */
  frameWanted: 'kaopass:frame-wanted',
} as const;
export type Channels = typeof CHANNELS;

/** Origin of our page under Electron: a scheme of our own, so that no web page can be of it. */
export const SCHEME = 'kaopass';
export const ORIGIN = 'kaopass://terminal';

/** Whether a URL is of our own page. Parsed, not compared as text: `kaopass://terminal.evil` begins the same. */
export function isOurs(url: string | undefined): boolean {
  if (!url) return false;
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}` === ORIGIN;
  } catch {
    return false;
  }
}
