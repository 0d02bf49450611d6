import './transfer.css';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { spaced } from './payee-number.ts';
import type { ScreenProps } from './screen-props.ts';

export function ConfirmTransferScreen({ screen }: ScreenProps<'confirm-transfer'>) {
  const t = useTexts();
  const { money } = useMoney();
  const { payee, amount, remains } = screen;
  return (
    <div className="transfer">
      <h1>{t('confirmTransfer.title')}</h1>
      <dl className="transfer-card">
        <div>
          <dt>{t('confirmTransfer.to')}</dt>
          <dd>
            <span className="transfer-said">
              <strong className="transfer-name">
                {payee.name === null ? t('confirmTransfer.noName') : t('confirmTransfer.name', { name: payee.name })}
              </strong>
              <span className="transfer-number">{spaced(payee.accountNumber)}</span>
            </span>
            <IntentButton
              intent={{ kind: 'correct', what: 'payee' }}
              look="second"
              label={t('confirmTransfer.changePayee')}
            >
              {t('confirmTransfer.change')}
            </IntentButton>
          </dd>
        </div>
        <div>
          <dt>{t('confirmTransfer.amount')}</dt>
          <dd>
            <strong className="transfer-amount transfer-said">{money(amount)}</strong>
            <IntentButton
              intent={{ kind: 'correct', what: 'amount' }}
              look="second"
              label={t('confirmTransfer.changeAmount')}
            >
              {t('confirmTransfer.change')}
            </IntentButton>
          </dd>
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
