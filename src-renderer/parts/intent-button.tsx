/** A button that is one answer. It is drawn only where the view offers that answer. */
import './button.css';
import type { ReactNode } from 'react';
import type { Intent } from '../../src-contract/screen.ts';
import { useOffered, useTerminal } from '../terminal-context.ts';
import { Icon, type IconName } from './icon.tsx';

export interface IntentButtonProps {
  readonly intent: Intent;
  /** first: what most people came to do; second: the other answer; quiet: a way out; plain: styled by its screen. */
  readonly look: 'first' | 'second' | 'quiet' | 'plain';
  readonly icon?: IconName;
  readonly className?: string;
  readonly disabled?: boolean;
  readonly label?: string;
  readonly describedBy?: string;
  readonly children: ReactNode;
}

export function IntentButton(props: IntentButtonProps) {
  const { send } = useTerminal();
  if (!useOffered(props.intent.kind)) return null;
  const disabled = props.disabled ?? false;
  return (
    <button
      type="button"
      className={['button', `button-${props.look}`, props.className].filter(Boolean).join(' ')}
      data-intent={props.intent.kind}
      // Not the disabled attribute: a disabled button loses the focus, and a reader loses its place.
      aria-disabled={disabled || undefined}
      aria-label={props.label}
      aria-describedby={props.describedBy}
      onClick={() => !disabled && send(props.intent)}
    >
      {props.icon && <Icon name={props.icon} />}
      <span>{props.children}</span>
    </button>
  );
}
