/**
 * The product's App on a bridge whose other end is the test. `window.stage` shows views, breaks the connection, asks for
 * frames, and remembers what the screen sent. Never part of the product: only tests/browser builds this page.
 */
// The bundler knows stylesheets and JSX; the types of the tests, which run in Node, do not.
// @ts-expect-error
import '../../src-renderer/styles/fonts.css';
// @ts-expect-error
import '../../src-renderer/styles/base.css';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { decodeFrame } from '../../src-contract/frame.ts';
// @ts-expect-error
import { App } from '../../src-renderer/app.tsx';
import { startTexts } from '../../src-renderer/i18n/i18n.ts';

/** @template Value */
class Said {
  /** @type {Set<(value: Value) => void>} */
  #listeners = new Set();
  /** @type {Value | undefined} */
  last;

  /** @param {Value} value */
  say(value) {
    this.last = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** @param {(value: Value) => void} listener */
  listen = (listener) => {
    if (this.last !== undefined) listener(this.last);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
}

/** @type {Said<import('../../src-contract/screen.ts').View>} */
const views = new Said();
/** @type {Said<boolean>} */
const connections = new Said();
connections.last = false;
/** @type {Said<undefined>} */
const wishes = new Said();

/** @type {import('./stage-api.ts').Stage} */
const stage = {
  sent: [],
  frames: [],
  answers: [],
  show(view) {
    connections.say(true);
    views.say({ ...view, revision: (views.last?.revision ?? 0) + 1 });
  },
  disconnect: () => connections.say(false),
  wantFrame: () => wishes.say(undefined),
  anew() {
    root?.unmount();
    views.last = undefined;
    connections.last = false;
    for (const list of [stage.sent, stage.frames, stage.answers]) list.length = 0;
    root = createRoot(place);
    root.render(createElement(App, { bridge }));
  },
};

/** @type {import('../../src-contract/bridge.ts').TerminalBridge} */
const bridge = {
  send: async (intent) => {
    stage.sent.push({ intent, revision: views.last?.revision ?? 0 });
    return /** @type {any} */ (stage.answers.shift() ?? { ok: true });
  },
  onView: views.listen,
  onFrameWanted: (listener) => wishes.listen(() => listener()),
  onConnection: connections.listen,
  sendFrame: (message) => {
    const { width, height, sequence, capturedAtMs, pixels } = decodeFrame(message);
    /** @param {number} x @param {number} y */
    const at = (x, y) =>
      /** @type {import('./stage-api.ts').Rgba} */ (
        /** @type {unknown} */ ([...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)])
      );
    const places = { left: at(160, 240), middle: at(320, 240), right: at(480, 240), corner: at(5, 5) };
    stage.frames.push({ width, height, sequence, capturedAtMs, arrivedAtMs: performance.now(), ...places });
  },
};

const place = /** @type {HTMLElement} */ (document.getElementById('screen'));
/** @type {import('react-dom/client').Root | undefined} */
let root;
await startTexts();
stage.anew();
window.stage = stage;
