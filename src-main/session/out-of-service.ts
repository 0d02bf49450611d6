/** The one view of a terminal that can't serve anybody, until a technician changes that. */
import type { Language } from '../../src-contract/primitives.ts';
import { type IntentAnswer, IntentMessage, type Screen, type View } from '../../src-contract/screen.ts';
import type { Clock } from '../clock.ts';

type Reason = Extract<Screen, { name: 'out-of-service' }>['reason'];

/** Answers only "another language, please". */
export function outOfService(terminal: View['terminal'], language: Language, reason: Reason, clock: Clock) {
  const listeners = new Set<(view: View) => void>();
  let revision = 1;
  let view = make(language);

  function make(inLanguage: Language): View {
    return {
      revision,
      at: clock.now(),
      language: inLanguage,
      terminal,
      screen: { name: 'out-of-service', reason },
      offers: ['set-language'],
      timeout: null,
      camera: null,
    };
  }

  return {
    handleIntent(message: unknown): IntentAnswer {
      const parsed = IntentMessage.safeParse(message);
      if (!parsed.success) return { ok: false, code: 'invalid', message: 'the intent does not fit the contract' };
      const { intent } = parsed.data;
      if (intent.kind !== 'set-language') {
        return {
          ok: false,
          code: 'not-offered',
          message: `"${intent.kind}" is not offered by screen "out-of-service"`,
        };
      }
      revision += 1;
      view = make(intent.language);
      for (const listener of listeners) listener(view);
      return { ok: true };
    },
    onView(listener: (view: View) => void): () => void {
      listeners.add(listener);
      listener(view);
      return () => listeners.delete(listener);
    },
  };
}
