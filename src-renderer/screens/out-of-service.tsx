import './ending.css';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import type { ScreenProps } from './screen-props.ts';

export function OutOfServiceScreen({ screen }: ScreenProps<'out-of-service'>) {
  const t = useTexts();
  return (
    <div className="ending">
      <span className="ending-sign">
        <Icon name="staff" />
      </span>
      <h1>{t('outOfService.title')}</h1>
      <p className="lead">{t('outOfService.body')}</p>
      <p className="lead">{t(`outOfService.reasons.${screen.reason}`)}</p>
      <p className="ending-staff">
        {t('outOfService.code')}: <code>{screen.reason}</code>
      </p>
    </div>
  );
}
