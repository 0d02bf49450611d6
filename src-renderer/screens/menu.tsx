import './menu.css';
import type { Service } from '../../src-contract/primitives.ts';
import type { SorryCode } from '../../src-contract/screen.ts';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { useOffered, useTerminal } from '../terminal-context.ts';
import type { ScreenProps } from './screen-props.ts';

export function MenuScreen({ screen }: ScreenProps<'menu'>) {
  const t = useTexts();
  return (
    <div className="menu">
      <h1>{t('menu.title')}</h1>
      <ul className="menu-services" data-count={screen.services.length}>
        {screen.services.map((entry) => (
          <li key={entry.service}>
            <ServiceButton {...entry} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ServiceButton({
  service,
  available,
  reason,
}: {
  service: Service;
  available: boolean;
  reason: SorryCode | null;
}) {
  const t = useTexts();
  const { send } = useTerminal();
  const open = useOffered('choose-service');
  return (
    <button
      type="button"
      className="menu-service"
      data-intent="choose-service"
      data-service={service}
      // One that is closed can be touched too: the terminal then says in full why, and what else there is.
      data-available={available}
      aria-disabled={!open || undefined}
      onClick={() => open && send({ kind: 'choose-service', service })}
    >
      <span className="menu-service-sign">
        <Icon name={service} />
      </span>
      <span className="menu-service-words">
        <span className="menu-service-name">{t(`services.${service}.name`)}</span>
        <span className="menu-service-hint">
          {available ? t(`services.${service}.hint`) : t(`menu.unavailable.${whyClosed(reason)}`)}
        </span>
      </span>
    </button>
  );
}

function whyClosed(reason: SorryCode | null): 'offline' | 'device' | 'full' | 'other' {
  if (reason === 'machine-full') return 'full';
  if (reason === 'offline-service' || reason === 'offline-limit') return 'offline';
  return reason === 'device-unavailable' || reason === 'cash-jammed' || reason === 'suspect' ? 'device' : 'other';
}
