import { useEffect, useState } from 'react';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { amountOf, erased, keyed, type OwnAmount, problemOf } from './own-amount.ts';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

interface AmountKeypadProps {
  readonly stepMinor: MinorUnits;
  readonly maxMinor: MinorUnits;
  readonly limits: string;
  readonly onBack: () => void;
}

export function AmountKeypad({ stepMinor, maxMinor, limits, onBack }: AmountKeypadProps) {
  const t = useTexts();
  const { minor } = useMoney();
  const [own, setOwn] = useState<OwnAmount>({ digits: '', stepMinor, maxMinor });
  const problem = problemOf(own);
  const amountMinor = amountOf(own);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (/^\d$/.test(event.key)) setOwn((now) => keyed(now, event.key));
      else if (event.key === 'Backspace') setOwn(erased);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  return (
    <div className="own">
      <div className="own-words">
        <h1>{t('amount.ownTitle')}</h1>
        <p className="lead">{limits}</p>
        <output className="own-amount" aria-label={t('amount.entered')} data-empty={problem === 'nothing'}>
          {minor(amountMinor)}
        </output>
        <p className="own-problem" role="alert">
          {problem === 'too-much' && t('amount.tooMuch', { max: minor(maxMinor) })}
          {problem === 'not-a-step' && t('amount.notStep', { step: minor(stepMinor) })}
        </p>
        <button type="button" className="button button-second" onClick={onBack}>
          <Icon name="left" />
          <span>{t('amount.back')}</span>
        </button>
      </div>
      <fieldset className="own-keys" aria-label={t('amount.keypad')}>
        {KEYS.map((key) => (
          <Key key={key} onPress={() => setOwn((now) => keyed(now, key))}>
            {key}
          </Key>
        ))}
        <Key onPress={() => setOwn(erased)} label={t('amount.erase')}>
          <Icon name="eraser" />
        </Key>
        <Key onPress={() => setOwn((now) => keyed(now, '0'))}>0</Key>
        <Key onPress={() => setOwn((now) => ({ ...now, digits: '' }))} small>
          {t('amount.clear')}
        </Key>
        <IntentButton
          intent={{ kind: 'choose-amount', amountMinor }}
          look="first"
          icon="tick"
          className="own-ok"
          disabled={problem !== null}
        >
          {t('amount.ok')}
        </IntentButton>
      </fieldset>
    </div>
  );
}

function Key(props: { onPress: () => void; label?: string; small?: boolean; children: React.ReactNode }) {
  return (
    <button
      type="button"
      className={props.small ? 'own-key own-key-small' : 'own-key'}
      aria-label={props.label}
      onClick={props.onPress}
    >
      {props.children}
    </button>
  );
}
