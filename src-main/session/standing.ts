/** Whether this terminal may serve anybody at all, whatever its devices and the bank say. */
import type { Language } from '../../src-contract/primitives.ts';
import type { Screen } from '../../src-contract/screen.ts';
import type { Storage, StorageTrouble } from '../journal/storage.ts';

export type OutOfServiceReason = Extract<Screen, { name: 'out-of-service' }>['reason'];

export interface Standing {
  /** Null while people may be served; judged anew at each call. A visit under way is not ended by it. */
  reason(): OutOfServiceReason | null;
  /** What the technician is told: one sentence a fault, none when all is well. */
  words(): readonly Words[];
  /** Called when the reason may have changed. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** Calls back when the camera turns out to be another than this terminal's own: a look under way is over. Returns how to stop. */
export function onCameraLost(
  { standing }: { readonly standing: Pick<Standing, 'reason' | 'onChange'> },
  callback: () => void,
): () => void {
  return standing.onChange(() => {
    if (standing.reason() === 'camera') callback();
  });
}

/** One fault, for the technician. */
export type Words = Readonly<Record<Language, string>>;

/** Nobody is served on a disk that cannot take down what happens. */
export function standingOn(storage: Pick<Storage, 'trouble' | 'onChange'>): Standing {
  return {
    reason: () => (storage.trouble === null ? null : 'storage'),
    words: () => (storage.trouble === null ? [] : [storageWords(storage.trouble)]),
    onChange: (listener) => storage.onChange(() => listener()),
  };
}

/** Everything that keeps people from being served: the first reason is what they are told, the technician hears of all. */
export function standingOfAll(all: readonly Standing[]): Standing {
  return {
    reason: () => all.map((one) => one.reason()).find((reason) => reason !== null) ?? null,
    words: () => all.flatMap((one) => one.words()),
    onChange: (listener) => {
      const stops = all.map((one) => one.onChange(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

export function storageWords({ kind }: Pick<StorageTrouble, 'kind'>): Words {
  switch (kind) {
    case 'full':
      return {
        ja: 'ディスクの空き容量がありません。不要なファイルを削除してください。空きができれば、自動で再開します。',
        en: 'The disk is full: free some space. The terminal serves again by itself.',
      };
    case 'unwritable':
      return {
        ja: 'ディスクに書き込めません。ディスクの状態を確認してください。書き込めるようになれば、自動で再開します。',
        en: 'The disk takes no writes: look at it. The terminal serves again by itself when it does.',
      };
    case 'failed':
      return {
        ja: '処理中の取引をディスクに記録できませんでした。ディスクを直してから端末を再起動してください。未完了の取引は再起動時に確認されます。',
        en: 'What was under way could not be written down: mend the disk, then restart. The restart settles what is open.',
      };
    case 'damaged':
      return {
        ja: '取引記録のファイルが破損しています。ファイルを保管し、銀行の担当者に連絡してください。削除しないでください。',
        en: 'The journal is damaged: keep the file, it is evidence, and call the bank. Do not delete it.',
      };
  }
}
