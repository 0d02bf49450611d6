import './ending.css';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { useOffered } from '../terminal-context.ts';
import type { ScreenProps } from './screen-props.ts';

export function SorryScreen({ screen }: ScreenProps<'sorry'>) {
  const t = useTexts();
  const { money, minor } = useMoney();
  const canRetry = useOffered('retry');
  const canClaim = useOffered('claim-identity');
  const { code, possibleMinor, madeWhole, reference } = screen;
  return (
    <div className="ending">
      <span className="ending-sign">
        <Icon name="info" />
      </span>
      <h1>{t(`sorry.texts.${code}.title`)}</h1>
      <p className="lead">{t(`sorry.texts.${code}.body`)}</p>
      {canClaim && <p className="lead">{t('sorry.claim')}</p>}
      {madeWhole && <Notice kind="good">{t('sorry.madeWhole', { amount: money(madeWhole) })}</Notice>}
      {reference && <p className="ending-reference">{t('sorry.reference', { reference })}</p>}
      {possibleMinor.length > 0 && (
        <p className="ending-possible">
          {t('sorry.possible')}
          <span>
            {possibleMinor.map((amountMinor) => (
              <strong key={amountMinor}>{minor(amountMinor)}</strong>
            ))}
          </span>
        </p>
      )}
      <div className="answers">
        <IntentButton intent={{ kind: 'cancel' }} look={canRetry ? 'second' : 'first'}>
          {t('common.toStart')}
        </IntentButton>
        <IntentButton intent={{ kind: 'confirm' }} look={canRetry ? 'second' : 'first'}>
          {t('common.confirm')}
        </IntentButton>
        <IntentButton intent={{ kind: 'claim-identity' }} look="second">
          {t('sorry.claimIdentity')}
        </IntentButton>
        <IntentButton intent={{ kind: 'retry' }} look="first" icon="again">
          {t('common.retry')}
        </IntentButton>
      </div>
      <p className="ending-staff">
        <Icon name="staff" />
        {t('common.staff')}
      </p>
    </div>
  );
}
