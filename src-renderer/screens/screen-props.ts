import type { Screen, ScreenName } from '../../src-contract/screen.ts';

/** The part of the contract that one screen draws. */
export interface ScreenProps<Name extends ScreenName> {
  readonly screen: Extract<Screen, { name: Name }>;
}
