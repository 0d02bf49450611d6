import type { IntentKind, ScreenName } from '../../src-contract/screen.ts';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { ConsentAnswers } from '../screens/consent.tsx';
import { useView } from '../terminal-context.ts';
import { Countdown } from './countdown.tsx';

/** Answers a screen has buttons of its own for. Any other the view offers gets one here, so no screen is a dead end. */
const DRAWN_BY_SCREEN: Readonly<Partial<Record<ScreenName, readonly IntentKind[]>>> = {
  attract: ['begin'],
  'insert-cash': ['confirm'],
  'confirm-deposit': ['confirm', 'cancel'],
  'opt-out': ['confirm', 'cancel'],
  'confirm-transfer': ['confirm', 'cancel'],
  balance: ['confirm', 'cancel'],
  done: ['confirm'],
  sorry: ['retry', 'confirm', 'cancel'],
};

export function Footer() {
  const { screen } = useView();
  const t = useTexts();
  const here = (kind: IntentKind) => !DRAWN_BY_SCREEN[screen.name]?.includes(kind);
  return (
    <footer className="footer">
      {here('cancel') && (
        <IntentButton intent={{ kind: 'cancel' }} look="quiet" icon="cross">
          {t('common.cancel')}
        </IntentButton>
      )}
      <Countdown />
      <span className="footer-space" />
      {screen.name === 'consent' && <ConsentAnswers screen={screen} />}
      {here('retry') && (
        <IntentButton intent={{ kind: 'retry' }} look="second" icon="again">
          {t('common.retry')}
        </IntentButton>
      )}
      {here('begin') && (
        <IntentButton intent={{ kind: 'begin' }} look="first">
          {t('common.begin')}
        </IntentButton>
      )}
      {here('confirm') && (
        <IntentButton intent={{ kind: 'confirm' }} look="first" icon="tick">
          {t('common.confirm')}
        </IntentButton>
      )}
    </footer>
  );
}
