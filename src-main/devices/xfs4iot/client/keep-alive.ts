/**
 * Notices a peer that vanished without a word (a pulled cable, a halted machine): TCP alone says nothing for many minutes. A
 * WebSocket ping (RFC 6455, 5.5.2) is sent at each interval; a whole interval without any sign of life ends the connection.
 */
import type { ClientClock } from './clock.ts';

export interface KeepAlive {
  /** A message or a pong came. */
  heard(): void;
  stop(): void;
}

export function keepAlive(clock: ClientClock, intervalMs: number, ping: () => void, onSilent: () => void): KeepAlive {
  let alive = true;
  let callOff = clock.after(intervalMs, beat);
  function beat(): void {
    if (!alive) {
      onSilent();
      return;
    }
    alive = false;
    callOff = clock.after(intervalMs, beat);
    ping();
  }
  return {
    heard: () => {
      alive = true;
    },
    stop: () => callOff(),
  };
}
