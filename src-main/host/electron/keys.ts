import type { Input } from 'electron';

/** What a customer's keyboard or a scanner that types needs; everything else could lead out of the kiosk. */
const ALLOWED = new Set([
  'Tab',
  'Enter',
  'Backspace',
  'ArrowUp',
  'ArrowDown',
  'ArrowLeft',
  'ArrowRight',
  'Home',
  'End',
  'PageUp',
  'PageDown',
  'Shift',
]);

/** Whether a key may leave the kiosk: F11, Escape, Alt+F4, Ctrl+W, Ctrl+R, Ctrl+Shift+I, and whatever a keyboard adds. A list of
 *  what is allowed, because a list of what is not would miss the next browser's shortcut. */
export function leavesKiosk(input: Pick<Input, 'key' | 'control' | 'alt' | 'meta'>): boolean {
  if (input.control || input.alt || input.meta) return true;
  return [...input.key].length !== 1 && !ALLOWED.has(input.key);
}
