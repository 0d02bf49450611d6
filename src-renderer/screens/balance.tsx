import './balance.css';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { useOffered } from '../terminal-context.ts';
import type { ScreenProps } from './screen-props.ts';

export function BalanceScreen({ screen }: ScreenProps<'balance'>) {
  const t = useTexts();
  const { money } = useMoney();
  // Both mean that it was read; two buttons for it would make people choose.
  const kind = useOffered('confirm') ? 'confirm' : 'cancel';
  return (
    <div className="balance">
      <h1>{t('balance.title')}</h1>
      <p className="lead">{t('balance.account', { ending: screen.accountEnding })}</p>
      <dl className="balance-card">
        <div className="balance-main">
          <dt>{t('balance.available')}</dt>
          <dd>{money(screen.available)}</dd>
        </div>
        <div>
          <dt>{t('balance.ledger')}</dt>
          <dd>{money(screen.ledger)}</dd>
        </div>
      </dl>
      <div className="answers answers-one">
        <IntentButton intent={{ kind }} look="first" icon="tick">
          {t('balance.done')}
        </IntentButton>
      </div>
    </div>
  );
}
