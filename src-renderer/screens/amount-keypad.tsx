import { useEffect, useState } from 'react';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { NumberKeys } from './number-keys.tsx';
import { amountOf, erased, keyed, type OwnAmount, problemOf } from './own-amount.ts';

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
      <NumberKeys
        onDigit={(key) => setOwn((now) => keyed(now, key))}
        onErase={() => setOwn(erased)}
        onClear={() => setOwn((now) => ({ ...now, digits: '' }))}
      >
        <IntentButton
          intent={{ kind: 'choose-amount', amountMinor }}
          look="first"
          icon="tick"
          className="own-ok"
          disabled={problem !== null}
        >
          {t('amount.ok')}
        </IntentButton>
      </NumberKeys>
    </div>
  );
}
