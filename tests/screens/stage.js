/**
 * The product's App on a bridge whose other end is the test. `window.stage` shows views, breaks the connection, asks for
 * frames, and remembers what the screen sent. Never part of the product: only tests/browser builds this page.
 */
import '../../src-renderer/styles/fonts.css';
import '../../src-renderer/styles/base.css';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { decodeFrame } from '../../src-contract/frame.ts';
import { App } from '../../src-renderer/app.tsx';
import { startTexts } from '../../src-renderer/i18n/i18n.ts';

const listeners = { view: new Set(), wanted: new Set(), connection: new Set() };
const say = (kind, value) => {
  for (const listener of [...listeners[kind]]) listener(value);
};
const listen = (kind, now) => (listener) => {
  const value = now();
  if (value !== undefined) listener(value);
  listeners[kind].add(listener);
  return () => listeners[kind].delete(listener);
};

let view;
let connected = false;
let revision = 0;

const stage = {
  /** {intent, revision} in the order sent. */
  sent: [],
  /** What arrived, with a few pixels instead of all. */
  frames: [],
  /** Answers given to the next intents instead of {ok: true}. */
  answers: [],
  show(next) {
    connected = true;
    say('connection', true);
    revision += 1;
    view = { ...next, revision };
    say('view', view);
  },
  disconnect() {
    connected = false;
    say('connection', false);
  },
  wantFrame: () => say('wanted'),
};
window.stage = stage;

const bridge = {
  send: async (intent) => {
    stage.sent.push({ intent, revision });
    return stage.answers.shift() ?? { ok: true };
  },
  onView: listen('view', () => view),
  onFrameWanted: listen('wanted', () => undefined),
  onConnection: listen('connection', () => connected),
  sendFrame: (message) => {
    const { width, height, sequence, capturedAtMs, pixels } = decodeFrame(message);
    const at = (x, y) => [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
    const places = { left: at(160, 240), middle: at(320, 240), right: at(480, 240), corner: at(5, 5) };
    stage.frames.push({ width, height, sequence, capturedAtMs, arrivedAtMs: performance.now(), ...places });
  },
};

await startTexts();
createRoot(document.getElementById('screen')).render(createElement(App, { bridge }));
