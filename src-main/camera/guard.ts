/**
 * Keeps a terminal to its own camera. What the screen says that it opened is held against what the kernel has and what was pinned; a
 * camera that does not do serves nobody until the right one is back or a technician has pinned anew.
 *
 * The first camera that a terminal opens is pinned: a technician stands before it then. A demonstration is held to nothing: its camera
 * may be a clip, and every one of its screens says what it is.
 */
import { readFileSync } from 'node:fs';
import { replaceFile } from '../devices/state-file.ts';
import { TerminalError } from '../errors.ts';
import type { Standing, Words } from '../session/standing.ts';
import {
  type AttachedCamera,
  CameraIdentity,
  type CameraObjection,
  cameraInWords,
  identify,
  isSame,
} from './identity.ts';

export interface CameraGuard extends Standing {
  /** What the screen says of its camera. */
  reported(report: { readonly state: string; readonly detail: string }): void;
  readonly pinned: CameraIdentity | null;
  /** What was opened last since the start; null when nothing was. */
  readonly opened: CameraIdentity | null;
  /** Takes the camera that was opened last for the terminal's own. Throws DEVICE_UNAVAILABLE when none was, or it is a program. */
  pin(): CameraIdentity;
}

export interface PinStore {
  read(): CameraIdentity | null;
  write(identity: CameraIdentity): void;
}

/** In a file of the data directory. Reading throws CONFIG_INVALID naming it when it is none of ours: then nothing is pinned anew. */
export function pinFile(path: string): PinStore {
  return {
    read: () => {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw new TerminalError('CONFIG_INVALID', `${path}: the pinned camera cannot be read`, { cause });
      }
      try {
        return CameraIdentity.parse(JSON.parse(text));
      } catch (cause) {
        throw new TerminalError('CONFIG_INVALID', `${path}: this is no pinned camera`, { cause });
      }
    },
    write: (identity) => replaceFile(path, `${JSON.stringify(identity, null, 2)}\n`),
  };
}

export function guardCamera(options: {
  readonly store: PinStore;
  readonly demonstration: boolean;
  /** What the kernel has now; null where it is not asked. */
  readonly attached: () => readonly AttachedCamera[] | null;
  readonly log: { info(facts: object, message: string): void; error(facts: object, message: string): void };
}): CameraGuard {
  const { store, demonstration, attached, log } = options;
  const listeners = new Set<() => void>();
  let pinned = store.read();
  let opened: CameraIdentity | null = null;
  /** Of the camera as it is, whatever is pinned. */
  let ofItself: 'virtual' | 'not-attached' | null = null;

  const objection = (): CameraObjection | null => {
    if (demonstration || opened === null) return null;
    if (ofItself !== null) return ofItself;
    return pinned !== null && !isSame(pinned, opened) ? 'changed' : null;
  };
  const keep = (identity: CameraIdentity, why: string) => {
    store.write(identity);
    pinned = identity;
    log.info({ camera: identity.label }, why);
  };
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };

  return {
    get pinned() {
      return pinned;
    },
    get opened() {
      return opened;
    },
    reported: ({ state, detail }) => {
      if (state !== 'running' || demonstration) return;
      const before = objection();
      const found = identify(detail, attached());
      opened = found.identity;
      ofItself = found.objection;
      if (ofItself === null && pinned === null) {
        try {
          keep(opened, 'the first camera is pinned as this terminal’s own');
        } catch (error) {
          // A full disk keeps nobody from looking; the next opening tries again.
          log.error({ err: error }, 'the camera could not be pinned');
        }
      }
      const now = objection();
      if (now === before) return;
      if (now !== null) log.error({ objection: now }, wordsFor(now, opened, pinned).en);
      else log.info({ camera: opened.label }, 'the camera is the pinned one again');
      tell();
    },
    pin: () => {
      if (opened === null) {
        throw new TerminalError('DEVICE_UNAVAILABLE', 'no camera was opened since the start: test the camera first');
      }
      if (ofItself !== null) {
        throw new TerminalError('DEVICE_UNAVAILABLE', wordsFor(ofItself, opened, pinned).en);
      }
      keep(opened, 'a technician has pinned this camera');
      tell();
      return opened;
    },
    reason: () => (objection() === null ? null : 'camera'),
    words: () => {
      const now = objection();
      return now === null || opened === null ? [] : [wordsFor(now, opened, pinned)];
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function wordsFor(objection: CameraObjection, opened: CameraIdentity, pinned: CameraIdentity | null): Words {
  switch (objection) {
    case 'virtual':
      return {
        ja: `カメラ「${opened.label}」は、映像を作るソフトウェアです。実際のカメラを接続してください。仮想カメラはデモ用の端末でのみ使えます。`,
        en: `The camera "${opened.label}" is a program: connect a real one. Only a demonstration may use a virtual camera.`,
      };
    case 'not-attached':
      return {
        ja: `カメラ「${opened.label}」は、このコンピューターに接続されたカメラとして確認できません。配線と、画面以外のソフトウェアを確認してください。`,
        en: `The kernel has no camera that is called "${opened.label}": look at the cable, and at what else runs on this machine.`,
      };
    case 'changed':
      return {
        ja: `カメラが登録したものと違います。登録：${pinned?.label ?? '—'}（${pinned?.serial ?? '製造番号なし'}）、現在：${opened.label}（${opened.serial ?? '製造番号なし'}）。元のカメラに戻して保守画面でテストするか、交換したのであれば保守画面で登録し直してください。`,
        en: `The camera is another one: pinned is ${pinned ? cameraInWords(pinned) : 'none'}, opened was ${cameraInWords(opened)}. Put the old one back and test it on the service page, or pin this one there if it was replaced.`,
      };
  }
}
