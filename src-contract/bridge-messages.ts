/**
 * The bridge on a WebSocket, for the Chromium host: JSON text for everything but frames, which are binary messages as
 * src-contract/frame.ts describes. Electron's IPC carries the same payloads on channels of its own.
 */
import { z } from 'zod';
import { FRAME_HEADER_BYTES, FRAME_SIDE_PX_MAX } from './frame.ts';
import { IntentAnswer, View } from './screen.ts';

/** Path of the WebSocket on the host's own origin. */
export const BRIDGE_PATH = '/bridge';
/** Longest text message from a screen, characters. The longest intent is a camera report of some 400. */
export const SCREEN_TEXT_CHARS_MAX = 4096;
/** Longest frame message, bytes. */
export const FRAME_MESSAGE_BYTES_MAX = FRAME_HEADER_BYTES + FRAME_SIDE_PX_MAX * FRAME_SIDE_PX_MAX * 4;
/** How often the terminal says that it is there, ms. A screen that hears nothing for three times as long reconnects. */
export const HEARTBEAT_MS = 3000;

/** WebSocket close codes of our own (RFC 6455, 7.4.2). A replaced screen must not come back: it would replace in turn. */
export const CLOSE_REPLACED = 4001;
export const CLOSE_MESSAGE_INVALID = 4002;

/** Screen → terminal. `message` is an IntentMessage; only the terminal parses it, and answers what it made of it. */
export const ScreenMessage = z.strictObject({
  type: z.literal('intent'),
  id: z.int().nonnegative(),
  message: z.unknown(),
});
export type ScreenMessage = z.infer<typeof ScreenMessage>;

/** Terminal → screen. */
export const TerminalMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('view'), view: View }),
  z.strictObject({ type: z.literal('answer'), id: z.int().nonnegative(), answer: IntentAnswer }),
  z.strictObject({ type: z.literal('frame-wanted') }),
  z.strictObject({ type: z.literal('heartbeat') }),
]);
export type TerminalMessage = z.infer<typeof TerminalMessage>;
