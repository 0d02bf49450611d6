/** What the page at tests/screens offers to a test, as `window.stage`. */
import type { Intent, View } from '../../src-contract/screen.ts';

export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

/** A frame as it arrived, with a few of its pixels instead of all. */
export interface ArrivedFrame {
  readonly width: number;
  readonly height: number;
  readonly sequence: number;
  readonly capturedAtMs: number;
  readonly arrivedAtMs: number;
  readonly left: Rgba;
  readonly middle: Rgba;
  readonly right: Rgba;
  readonly corner: Rgba;
}

export interface Stage {
  /** In the order sent. */
  sent: { intent: Intent; revision: number }[];
  frames: ArrivedFrame[];
  /** Answers given to the next intents instead of {ok: true}. */
  answers: unknown[];
  /** Connects if need be, and sends the view with the next revision. */
  show(view: View): void;
  disconnect(): void;
  wantFrame(): void;
  /** The App as on a page that was just loaded: nothing shown, nothing sent, no terminal yet. */
  anew(): void;
}

declare global {
  interface Window {
    stage: Stage;
  }
}
