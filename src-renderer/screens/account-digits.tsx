import './account-digits.css';
import { useEffect, useState } from 'react';
import { useTexts } from '../i18n/i18n.ts';
import { grouped, keyedDigit, spaced } from './payee-number.ts';

/** An account number as far as it was keyed, or as it is where a label says so. */
export function AccountDigits({ digits, label: given }: { digits: string; label?: string }) {
  const t = useTexts();
  const keyed = digits === '' ? t('payee.empty') : t('payee.entered', { number: spaced(digits) });
  const label = given === undefined ? keyed : `${given}: ${spaced(digits)}`;
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

const erased = (digits: string) => digits.slice(0, -1);

/** An account number that is being keyed in, on the screen or on a keyboard where there is one. */
export function useAccountDigits(entered: string) {
  const [digits, setDigits] = useState<string>(entered);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (/^\d$/.test(event.key)) setDigits((now) => keyedDigit(now, event.key));
      else if (event.key === 'Backspace') setDigits(erased);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return {
    digits,
    keys: {
      onDigit: (key: string) => setDigits((now) => keyedDigit(now, key)),
      onErase: () => setDigits(erased),
      onClear: () => setDigits(''),
    },
  };
}
