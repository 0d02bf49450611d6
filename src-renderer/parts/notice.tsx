/** A line that has to be noticed: what went wrong and what to do, or what is good to know. */
import './notice.css';
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';

export function Notice({ kind, children }: { kind: 'problem' | 'info' | 'good'; children: ReactNode }) {
  return (
    <div className={`notice notice-${kind}`} role={kind === 'problem' ? 'alert' : undefined}>
      <Icon name={kind === 'problem' ? 'caution' : kind === 'good' ? 'shield' : 'info'} />
      <p>{children}</p>
    </div>
  );
}
