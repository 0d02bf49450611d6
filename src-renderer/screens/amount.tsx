import './amount.css';
import { useState } from 'react';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { AmountKeypad } from './amount-keypad.tsx';
import type { ScreenProps } from './screen-props.ts';

export function AmountScreen({ screen }: ScreenProps<'amount'>) {
  const t = useTexts();
  const { minor } = useMoney();
  const [own, setOwn] = useState(false);
  const { choices, refused, stepMinor, maxMinor } = screen;
  const limits = t('amount.step', { step: minor(stepMinor), max: minor(maxMinor) });

  if (own) {
    return <AmountKeypad stepMinor={stepMinor} maxMinor={maxMinor} limits={limits} onBack={() => setOwn(false)} />;
  }
  return (
    <div className="amount">
      {refused ? (
        <Refused refused={refused} />
      ) : (
        <div className="amount-head">
          <h1>{t('amount.title')}</h1>
          <p className="lead">{limits}</p>
        </div>
      )}
      <ul className="amount-choices" data-many={choices.length > 7 || refused !== null} aria-label={t('amount.title')}>
        {choices.map((amountMinor) => (
          <li key={amountMinor}>
            <AmountButton amountMinor={amountMinor} />
          </li>
        ))}
        <li className="amount-own">
          <button type="button" className="button button-second amount-choice" onClick={() => setOwn(true)}>
            <span>{t('amount.other')}</span>
          </button>
        </li>
      </ul>
    </div>
  );
}

function AmountButton({ amountMinor }: { amountMinor: MinorUnits }) {
  const { minor } = useMoney();
  return (
    <IntentButton intent={{ kind: 'choose-amount', amountMinor }} look="plain" className="amount-choice amount-money">
      {minor(amountMinor)}
    </IntentButton>
  );
}

type RefusedAmount = NonNullable<ScreenProps<'amount'>['screen']['refused']>;

function Refused({ refused }: { refused: RefusedAmount }) {
  const t = useTexts();
  const { minor } = useMoney();
  const { reason } = refused;
  const why =
    reason === 'cannot-make-amount' || reason === 'over-limit' || reason === 'insufficient-funds' ? reason : 'other';
  return (
    <div className="amount-refused">
      <h1>{t('amount.refusedTitle', { asked: minor(refused.askedMinor) })}</h1>
      <Notice kind="problem">{t(`amount.refused.${why}`)}</Notice>
      {refused.possibleMinor.length > 0 && (
        <div className="amount-possible">
          <h2>{t('amount.possible')}</h2>
          <ul>
            {refused.possibleMinor.map((amountMinor) => (
              <li key={amountMinor}>
                <AmountButton amountMinor={amountMinor} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
