import './amount.css';
import './transfer.css';
import { ACCOUNT_DIGITS } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { Sum } from '../parts/sum.tsx';
import { AccountDigits, useAccountDigits } from './account-digits.tsx';
import { NumberKeys } from './number-keys.tsx';
import { isWhole } from './payee-number.ts';
import type { ScreenProps } from './screen-props.ts';

export function PayeeScreen({ screen }: ScreenProps<'payee'>) {
  const t = useTexts();
  const { amount, entered, problem } = screen;
  const { digits, keys } = useAccountDigits(entered);
  const whole = isWhole(digits);
  return (
    <div className="own">
      <div className="own-words">
        <h1>{t('payee.title')}</h1>
        <AccountDigits digits={digits} />
        {/* What was wrong with a number is said until another one stands there. */}
        {problem && digits === entered ? (
          <Notice kind="problem">{t(`payee.problem.${problem}`)}</Notice>
        ) : (
          <p className="lead">{t(whole ? 'payee.whole' : 'payee.lead', { digits: ACCOUNT_DIGITS })}</p>
        )}
        <div className="payee-amount">
          <Sum label={t('pin.amount')} amount={amount} size="small" />
          <IntentButton intent={{ kind: 'correct', what: 'amount' }} look="second">
            {t('payee.otherAmount')}
          </IntentButton>
        </div>
      </div>
      <NumberKeys {...keys}>
        <IntentButton
          // One that is not whole is never sent: the button is closed until it is.
          intent={{ kind: 'enter-payee', accountNumber: digits }}
          look="first"
          icon="tick"
          className="own-ok"
          disabled={!whole || (problem !== null && digits === entered)}
        >
          {t('amount.ok')}
        </IntentButton>
      </NumberKeys>
    </div>
  );
}
