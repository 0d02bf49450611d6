/** One amount of money, large, with what it is. */
import './sum.css';
import type { ReactNode } from 'react';
import type { Money } from '../../src-contract/primitives.ts';
import { useMoney } from '../i18n/money.ts';

export function Sum({ label, amount, size = 'large' }: { label?: ReactNode; amount: Money; size?: 'large' | 'small' }) {
  const { money } = useMoney();
  return (
    <p className={`sum sum-${size}`}>
      {label && <span className="sum-label">{label}</span>}
      <strong className="sum-amount">{money(amount)}</strong>
    </p>
  );
}
