import type { View } from '../../src-contract/screen.ts';

/** Calls back with whatever is said; returns how to stop. */
function speaker<Value>(): { say(value: Value): void; listen(listener: (value: Value) => void): () => void } {
  const listeners = new Set<(value: Value) => void>();
  return {
    say(value) {
      for (const listener of [...listeners]) listener(value);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What arrived from the terminal, and who wants to know: the half of a bridge that is the same on every host. */
export function createInbox() {
  const views = speaker<View>();
  const wishes = speaker<void>();
  const connections = speaker<boolean>();
  let view: View | undefined;
  let connected = false;
  let frameWanted = false;
  return {
    view(next: View): void {
      view = next;
      views.say(next);
    },
    frameWanted(): void {
      frameWanted = true;
      wishes.say();
    },
    frameSent(): void {
      frameWanted = false;
    },
    connection(next: boolean): void {
      if (connected === next) return;
      connected = next;
      if (!next) frameWanted = false;
      connections.say(next);
    },
    /** Of the view last received; 0 before the first. */
    revision: (): number => view?.revision ?? 0,
    onView(listener: (view: View) => void): () => void {
      if (view) listener(view);
      return views.listen(listener);
    },
    /** A wish that is still open is told to a camera page that begins to listen later. */
    onFrameWanted(listener: () => void): () => void {
      if (frameWanted) listener();
      return wishes.listen(listener);
    },
    onConnection(listener: (connected: boolean) => void): () => void {
      listener(connected);
      return connections.listen(listener);
    },
  };
}
