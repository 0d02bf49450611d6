/** The quiet way of saying that time runs out, where more time can't be had: cash that goes back into the machine. */
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { useOffered } from '../terminal-context.ts';
import { useRemaining } from './remaining.ts';

export function Countdown() {
  const t = useTexts();
  const left = useRemaining();
  const extendable = useOffered('extend');
  if (!left?.warning || extendable) return null;
  return (
    <span className="countdown">
      <Icon name="clock" />
      {t('timeout.seconds', { seconds: left.seconds })}
    </span>
  );
}
