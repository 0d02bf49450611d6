/**
 * The bridge over the Chromium host's WebSocket. It comes back by itself for as long as the page lives: pauses grow to a
 * maximum, and never stop, because a screen has nothing better to do than to find its terminal again.
 */
import type { TerminalBridge } from '../../src-contract/bridge.ts';
import {
  BRIDGE_PATH,
  CLOSE_MESSAGE_INVALID,
  CLOSE_REPLACED,
  HEARTBEAT_MS,
  TerminalMessage,
} from '../../src-contract/bridge-messages.ts';
import type { IntentAnswer } from '../../src-contract/screen.ts';
import { createInbox } from './inbox.ts';

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 3000;
/** Longest wait for the answer to one intent, ms. The terminal answers at once or is not there. */
const ANSWER_TIMEOUT_MS = 5000;
const UNANSWERED_MAX = 32;

export interface ChromiumBridgeOptions {
  /** ws://HOST/bridge; the page's own origin when absent. */
  readonly url?: string;
  readonly open?: (url: string) => WebSocket;
}

export class BridgeLostError extends Error {
  override readonly name = 'BridgeLostError';
}

interface Waiting {
  resolve(answer: IntentAnswer): void;
  reject(error: Error): void;
}

/** Beside the bridge, how to end it: pages never do, tests must. */
export function connectChromium(options: ChromiumBridgeOptions = {}): TerminalBridge & { close(): void } {
  const url = options.url ?? `ws://${location.host}${BRIDGE_PATH}`;
  const open = options.open ?? ((address: string) => new WebSocket(address));
  const inbox = createInbox();
  const waiting = new Map<number, Waiting>();
  let socket: WebSocket | undefined;
  let nextId = 0;
  let pauseMs = PAUSE_MS_MIN;
  let ended = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let silenceTimer: ReturnType<typeof setTimeout> | undefined;

  function lose(): void {
    clearTimeout(silenceTimer);
    for (const { reject } of waiting.values()) reject(new BridgeLostError('the connection to the terminal was lost'));
    waiting.clear();
    inbox.connection(false);
  }

  function receive(data: unknown): void {
    const message = TerminalMessage.parse(JSON.parse(String(data)));
    if (message.type === 'view') inbox.view(message.view);
    else if (message.type === 'frame-wanted') inbox.frameWanted();
    else if (message.type === 'answer') {
      waiting.get(message.id)?.resolve(message.answer);
      waiting.delete(message.id);
    }
  }

  function connect(): void {
    const opened = open(url);
    socket = opened;
    opened.binaryType = 'arraybuffer';
    const heard = () => {
      clearTimeout(silenceTimer);
      silenceTimer = setTimeout(() => drop(), 3 * HEARTBEAT_MS);
    };
    /** A connection that is half dead may take minutes to close: it is forgotten at once. */
    const drop = (code?: number) => {
      if (socket !== opened) return;
      socket = undefined;
      opened.close();
      lose();
      if (ended || code === CLOSE_REPLACED) return;
      retryTimer = setTimeout(connect, pauseMs);
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
    };
    heard();
    opened.onopen = () => {
      heard();
      inbox.connection(true);
    };
    opened.onmessage = ({ data }) => {
      if (socket !== opened) return;
      heard();
      try {
        receive(data);
        pauseMs = PAUSE_MS_MIN;
      } catch {
        // Only a page and a terminal of different builds differ; the terminal's log says so, and the next try may do better.
        opened.close(CLOSE_MESSAGE_INVALID, 'a message of the terminal does not fit');
        drop();
      }
    };
    opened.onclose = ({ code }) => drop(code);
    opened.onerror = () => {};
  }
  connect();

  return {
    send(intent) {
      const current = socket;
      if (current?.readyState !== 1 || waiting.size >= UNANSWERED_MAX) {
        return Promise.reject(new BridgeLostError('the terminal cannot be reached'));
      }
      const id = nextId++;
      return new Promise<IntentAnswer>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new BridgeLostError(`the terminal did not answer within ${ANSWER_TIMEOUT_MS} ms`));
        }, ANSWER_TIMEOUT_MS);
        waiting.set(id, {
          resolve(answer) {
            clearTimeout(timer);
            resolve(answer);
          },
          reject(error) {
            clearTimeout(timer);
            reject(error);
          },
        });
        current.send(JSON.stringify({ type: 'intent', id, message: { revision: inbox.revision(), intent } }));
      });
    },
    onView: inbox.onView,
    onFrameWanted: inbox.onFrameWanted,
    onConnection: inbox.onConnection,
    sendFrame(message) {
      if (socket?.readyState !== 1) return;
      inbox.frameSent();
      socket.send(message);
    },
    close() {
      ended = true;
      clearTimeout(retryTimer);
      const current = socket;
      socket = undefined;
      current?.close();
      lose();
    },
  };
}
