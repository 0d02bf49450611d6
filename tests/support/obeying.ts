/** People who do what the screen asks for, and recordings that do not see it. */
import type { Demand } from '../../src-contract/challenge.ts';
import type { View } from '../../src-contract/screen.ts';
import { heightAt, litColours, moved, REST } from '../../src-main/challenge/challenge.fixture.ts';
import type { Movement } from '../../src-main/challenge/movement.ts';
import type { Acting } from './scripted-camera.ts';

const still = { signals: REST, colours: litColours(null) };

/** Does whatever stands on the screen and they are able to, half a second after it came there. */
export function obeying(view: () => View, able: (demand: Demand) => boolean = () => true): Acting {
  let demand: Demand | null = null;
  let sinceMs = 0;
  return (atMs) => {
    const { screen } = view();
    const now = screen.name === 'challenge' ? screen.demand : null;
    if (now !== demand) {
      demand = now;
      sinceMs = atMs;
    }
    if (screen.name !== 'challenge' || now === null || !able(now)) return still;
    if (now === 'light') return { signals: REST, colours: litColours(screen.colour) };
    return {
      ...still,
      signals: moved(now, heightAt({ movement: now, fromMs: sinceMs + 500, lastsMs: 1_600, much: 1.6 }, atMs)),
    };
  };
}

/** A recording that makes this movement every so often, whatever is asked for. */
export const repeating =
  (movement: Movement, everyMs = 4_000): Acting =>
  (atMs) => ({
    ...still,
    signals: moved(
      movement,
      heightAt({ movement, fromMs: everyMs - 1_600, lastsMs: 1_600, much: 1.6 }, atMs % everyMs),
    ),
  });

/** Stands there and does nothing. */
export const idle: Acting = () => still;
