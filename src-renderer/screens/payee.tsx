import './amount.css';
import './transfer.css';
import { useEffect, useState } from 'react';
import { ACCOUNT_DIGITS } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { Sum } from '../parts/sum.tsx';
import { NumberKeys } from './number-keys.tsx';
import { grouped, isWhole, keyedDigit, spaced } from './payee-number.ts';
import type { ScreenProps } from './screen-props.ts';

const erased = (digits: string) => digits.slice(0, -1);

export function PayeeScreen({ screen }: ScreenProps<'payee'>) {
  const t = useTexts();
  const { amount, entered, problem } = screen;
  const [digits, setDigits] = useState<string>(entered);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (/^\d$/.test(event.key)) setDigits((now) => keyedDigit(now, event.key));
      else if (event.key === 'Backspace') setDigits(erased);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

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
      <NumberKeys
        onDigit={(key) => setDigits((now) => keyedDigit(now, key))}
        onErase={() => setDigits(erased)}
        onClear={() => setDigits('')}
      >
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

function AccountDigits({ digits }: { digits: string }) {
  const t = useTexts();
  const label = digits === '' ? t('payee.empty') : t('payee.entered', { number: spaced(digits) });
  return (
    <output className="payee-digits" aria-label={label}>
      {grouped(digits).map((group, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places of a number have no other name than where they stand
        <span key={at} className="payee-group" aria-hidden="true">
          {group.map((digit, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: as above
            <span key={place} className="payee-digit" data-empty={digit === null}>
              {digit ?? '–'}
            </span>
          ))}
        </span>
      ))}
    </output>
  );
}
