/** "Do you need more time?" A modal dialog of the browser: it takes the focus, keeps it, and gives it back. */
import './timeout-warning.css';
import { useEffect, useRef } from 'react';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { useOffered, useTerminal } from '../terminal-context.ts';
import { useRemaining } from './remaining.ts';

export function TimeoutWarning() {
  const left = useRemaining();
  const extendable = useOffered('extend');
  if (!left?.warning || !extendable) return null;
  return <Warning seconds={left.seconds} />;
}

function Warning({ seconds }: { seconds: number }) {
  const t = useTexts();
  const { send } = useTerminal();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // showModal takes the first button, which ends the visit. What is at hand must be the harmless answer.
    element?.querySelector<HTMLElement>('[data-intent="extend"]')?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="warning"
      role="alertdialog"
      aria-labelledby="warning-title"
      aria-describedby="warning-body"
      onCancel={(event) => {
        // Escape: whoever presses a key is still here.
        event.preventDefault();
        send({ kind: 'extend' });
      }}
      // A second Escape closes it whatever onCancel says (HTML, close watchers); it stands until the time is up or extended.
      onClose={({ currentTarget }) => currentTarget.isConnected && currentTarget.showModal()}
    >
      <div className="warning-seconds" aria-hidden="true">
        {seconds}
      </div>
      <h2 id="warning-title">{t('timeout.title')}</h2>
      <p id="warning-body">{t('timeout.body')}</p>
      <p className="warning-left">{t('timeout.seconds', { seconds })}</p>
      <div className="warning-answers">
        <IntentButton intent={{ kind: 'cancel' }} look="second">
          {t('timeout.cancel')}
        </IntentButton>
        <IntentButton intent={{ kind: 'extend' }} look="first">
          {t('timeout.extend')}
        </IntentButton>
      </div>
    </dialog>
  );
}
