import './transfer.css';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { useView } from '../terminal-context.ts';
import { spaced } from './payee-number.ts';
import type { ScreenProps } from './screen-props.ts';

export function ConfirmTransferScreen({ screen }: ScreenProps<'confirm-transfer'>) {
  const t = useTexts();
  const { money } = useMoney();
  const { language } = useView();
  const { payee, amount, remains } = screen;
  return (
    <div className="transfer">
      <h1>{t('confirmTransfer.title')}</h1>
      <dl className="transfer-card">
        <div>
          <dt>{t('confirmTransfer.to')}</dt>
          <dd>
            {/* Japanese lays names out with an honorific; the English text has none. */}
            <strong className="transfer-name" lang={language}>
              {payee.name === null ? t('confirmTransfer.noName') : t('confirmTransfer.name', { name: payee.name })}
            </strong>
            <span className="transfer-number">{spaced(payee.accountNumber)}</span>
          </dd>
          <IntentButton intent={{ kind: 'correct', what: 'payee' }} look="second">
            {t('confirmTransfer.change')}
          </IntentButton>
        </div>
        <div>
          <dt>{t('confirmTransfer.amount')}</dt>
          <dd>
            <strong className="transfer-amount">{money(amount)}</strong>
          </dd>
          <IntentButton intent={{ kind: 'correct', what: 'amount' }} look="second">
            {t('confirmTransfer.change')}
          </IntentButton>
        </div>
        <div className="transfer-remains">
          <dt>{t('confirmTransfer.remains')}</dt>
          <dd>{money(remains)}</dd>
        </div>
      </dl>
      {payee.name === null ? (
        <Notice kind="problem">{t('confirmTransfer.noNameAdvice')}</Notice>
      ) : (
        <p className="transfer-advice">{t('confirmTransfer.advice')}</p>
      )}
      <div className="answers">
        <IntentButton intent={{ kind: 'cancel' }} look="second" icon="cross">
          {t('confirmTransfer.no')}
        </IntentButton>
        <IntentButton intent={{ kind: 'confirm' }} look="first" icon="tick">
          {t('confirmTransfer.yes')}
        </IntentButton>
      </div>
    </div>
  );
}
