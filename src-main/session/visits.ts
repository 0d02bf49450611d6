/**
 * Runs one visit after the other and stands between them and the screen: the innermost state that shows something becomes
 * the view, and an intent reaches that state only if the view offers it. Also keeps each visit's patience and language.
 */
import { type AnyActorRef, type AnyMachineSnapshot, createActor } from 'xstate';
import type { Language } from '../../src-contract/primitives.ts';
import {
  type CameraSource,
  type IntentAnswer,
  type IntentKind,
  IntentMessage,
  type View,
} from '../../src-contract/screen.ts';
import type { SessionPorts } from './ports.ts';
import { blockUnsettled } from './recovery-table.ts';
import type { Shown } from './step.ts';
import { visitMachine } from './visit.ts';

export interface Surroundings {
  readonly demonstration: boolean;
  readonly defaultLanguage: Language;
  /** What the camera page should run; null when nobody watches. */
  readonly camera: () => CameraSource | null;
  readonly onCamera: (listener: () => void) => () => void;
  /** What the camera page says of itself. */
  readonly onCameraReport: (report: { state: string; detail: string }) => void;
  /** A visit broke down: a bug, or a disk that is gone. */
  readonly onFailure: (error: unknown) => void;
}

export interface Visits {
  handleIntent(message: unknown): IntentAnswer;
  onView(listener: (view: View) => void): () => void;
  /** True while nobody is being served. */
  readonly idle: boolean;
  stop(): void;
}

/** Always possible, whatever stands on the screen. */
const ALWAYS_OFFERED: readonly IntentKind[] = ['set-language', 'report-camera'];

interface Stage {
  readonly actor: AnyActorRef;
  readonly shown: Shown;
}

export function createVisits(makePorts: (language: () => Language) => SessionPorts, around: Surroundings): Visits {
  let language = around.defaultLanguage;
  const ports = makePorts(() => language);
  const { clock } = ports;
  const listeners = new Set<(view: View) => void>();
  let stage: Stage | null = null;
  let view: View | null = null;
  /** Everything of the view but its number and time, to tell a change from a repeat. */
  let drawn = '';
  /** First revision of the screen now standing; an intent that answers an older one came too late. */
  let standingSince = 1;
  let patienceEndsMs: number | null = null;
  let callOffPatience = () => {};
  let scheduled = false;
  let stopped = false;
  let actor = begin();

  function begin() {
    const next = createActor(visitMachine(ports), {
      clock: {
        setTimeout: (callback: () => void, ms: number) => ports.clock.after(ms, callback),
        clearTimeout: (callOff: () => void) => callOff(),
      },
      inspect: (event) => {
        if (event.type === '@xstate.snapshot') schedule();
      },
    });
    next.subscribe({
      error: (error) => {
        around.onFailure(error);
        if (!stopped) {
          try {
            blockUnsettled(ports);
          } catch (cause) {
            around.onFailure(cause); // A journal that cannot be read serves nobody (storage.ts).
          }
          actor = begin();
          schedule();
        }
      },
    });
    return next.start();
  }

  function schedule() {
    if (scheduled || stopped) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      if (!stopped) draw();
    });
  }

  function draw() {
    const next = innermost(actor);
    if (!next) return; // Between two states; the next snapshot shows something.
    const before = stage;
    stage = next;
    const { shown } = next;
    if (isFirst(shown) && !(before && isFirst(before.shown))) language = around.defaultLanguage;
    if (JSON.stringify(before?.shown) !== JSON.stringify(shown)) restartPatience(shown);
    const camera = around.camera();
    const content = {
      language,
      terminal: {
        name: ports.terminal.name,
        profile: ports.terminal.profile,
        demonstration: around.demonstration,
        online: ports.sync.online,
      },
      screen: shown.screen,
      offers: [...shown.offers, ...(shown.patience === 'answer' ? (['extend'] as const) : []), ...ALWAYS_OFFERED],
      camera: camera ? { source: camera } : null,
    };
    const key = JSON.stringify([content, patienceEndsMs]);
    if (key === drawn) return;
    drawn = key;
    const revision: number = (view?.revision ?? 0) + 1;
    if (before?.shown.screen.name !== shown.screen.name || before?.actor !== next.actor) standingSince = revision;
    view = {
      revision,
      at: clock.now(),
      ...content,
      timeout:
        shown.patience === 'answer' && patienceEndsMs !== null
          ? {
              remainingMs: Math.max(0, Math.round(patienceEndsMs - clock.monotonicMs())),
              warnMs: ports.patience.warnMs,
            }
          : null,
    };
    for (const listener of listeners) listener(view);
  }

  function restartPatience(shown: Shown) {
    callOffPatience();
    patienceEndsMs = null;
    if (shown.patience === 'none') return;
    const ms = shown.patience === 'farewell' ? ports.patience.farewellMs : ports.patience.answerMs;
    patienceEndsMs = clock.monotonicMs() + ms;
    callOffPatience = clock.after(ms, () => stage?.actor.send({ type: 'cancel' }));
  }

  const stopListening = [around.onCamera(schedule), ports.sync.onOnline(schedule)];
  schedule();

  return {
    handleIntent(message) {
      const parsed = IntentMessage.safeParse(message);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        return {
          ok: false,
          code: 'invalid',
          message: `${issue?.path.join('.') || 'intent'}: ${issue?.message ?? 'does not fit'}`.slice(0, 500),
        };
      }
      const { revision, intent } = parsed.data;
      if (!view || !stage || !view.offers.includes(intent.kind)) {
        return {
          ok: false,
          code: 'not-offered',
          message: `"${intent.kind}" is not offered by screen "${view?.screen.name ?? 'none'}"`,
        };
      }
      if (intent.kind === 'report-camera') {
        around.onCameraReport({ state: intent.state, detail: intent.detail });
        return { ok: true };
      }
      if (intent.kind === 'set-language') {
        language = intent.language;
        schedule();
        return { ok: true };
      }
      if (revision > view.revision) {
        return { ok: false, code: 'invalid', message: `revision: view ${revision} was never shown` };
      }
      if (revision < standingSince) {
        return {
          ok: false,
          code: 'stale',
          message: `view ${revision} is gone; screen "${view.screen.name}" stands since ${standingSince}`,
        };
      }
      if (intent.kind === 'extend') {
        restartPatience(stage.shown);
        schedule();
        return { ok: true };
      }
      const { kind, ...rest } = intent;
      const event = { type: kind, ...rest };
      // Offered in general, but not with this value: another consent text, a service this terminal does not have.
      if (!(stage.actor.getSnapshot() as AnyMachineSnapshot).can(event)) {
        return {
          ok: false,
          code: 'not-offered',
          message: `"${kind}" with these values is not offered by screen "${view.screen.name}"`,
        };
      }
      stage.actor.send(event);
      return { ok: true };
    },
    onView(listener) {
      listeners.add(listener);
      if (view) listener(view);
      return () => listeners.delete(listener);
    },
    get idle() {
      return stage === null || isFirst(stage.shown);
    },
    stop() {
      stopped = true;
      callOffPatience();
      for (const stop of stopListening) stop();
      actor.stop();
    },
  };
}

/** Nobody is being served: the screen invites, or says that it cannot. */
function isFirst({ screen }: Shown): boolean {
  return screen.name === 'attract' || screen.name === 'out-of-service';
}

/** The deepest running machine whose state shows something. */
function innermost(actor: AnyActorRef): Stage | null {
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  if (snapshot.status !== 'active' || typeof snapshot.getMeta !== 'function') return null;
  for (const child of Object.values(snapshot.children)) {
    const found = child ? innermost(child as AnyActorRef) : null;
    if (found) return found;
  }
  for (const meta of Object.values(snapshot.getMeta())) {
    const show = (meta as { show?: (context: unknown) => Shown } | undefined)?.show;
    if (show) return { actor, shown: show(snapshot.context) };
  }
  return null;
}
