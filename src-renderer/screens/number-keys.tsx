/** Large keys for digits, with the way on below them. */
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

interface NumberKeysProps {
  readonly onDigit: (key: string) => void;
  readonly onErase: () => void;
  readonly onClear: () => void;
  readonly children: ReactNode;
}

export function NumberKeys({ onDigit, onErase, onClear, children }: NumberKeysProps) {
  const t = useTexts();
  return (
    <fieldset className="own-keys" aria-label={t('amount.keypad')}>
      {KEYS.map((key) => (
        <Key key={key} onPress={() => onDigit(key)}>
          {key}
        </Key>
      ))}
      <Key onPress={onErase} label={t('amount.erase')}>
        <Icon name="eraser" />
      </Key>
      <Key onPress={() => onDigit('0')}>0</Key>
      <Key onPress={onClear} small>
        {t('amount.clear')}
      </Key>
      {children}
    </fieldset>
  );
}

function Key(props: { onPress: () => void; label?: string; small?: boolean; children: ReactNode }) {
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
