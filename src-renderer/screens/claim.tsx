import './amount.css';
import { ACCOUNT_DIGITS } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { Sum } from '../parts/sum.tsx';
import { AccountDigits, useAccountDigits } from './account-digits.tsx';
import { NumberKeys } from './number-keys.tsx';
import { isWhole } from './payee-number.ts';
import type { ScreenProps } from './screen-props.ts';

export function ClaimScreen({ screen }: ScreenProps<'claim'>) {
  const t = useTexts();
  const { amount, entered, problem } = screen;
  const { digits, keys } = useAccountDigits(entered);
  const whole = isWhole(digits);
  const isRefused = problem !== null && digits === entered;
  return (
    <div className="own">
      <div className="own-words">
        <h1>{t('claim.title')}</h1>
        <AccountDigits digits={digits} />
        {isRefused ? (
          <Notice kind="problem">{t(`claim.problem.${problem}`)}</Notice>
        ) : (
          <p className="lead">{t(whole ? 'claim.whole' : 'claim.lead', { digits: ACCOUNT_DIGITS })}</p>
        )}
        <p>{t('claim.next')}</p>
        {amount && <Sum label={t('pin.amount')} amount={amount} size="small" />}
      </div>
      <NumberKeys {...keys}>
        <IntentButton
          intent={{ kind: 'enter-claim', accountNumber: digits }}
          look="first"
          icon="tick"
          className="own-ok"
          disabled={!whole || isRefused}
        >
          {t('amount.ok')}
        </IntentButton>
      </NumberKeys>
    </div>
  );
}
