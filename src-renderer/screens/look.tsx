import './look.css';
import { CameraPreview } from '../camera/camera-preview.tsx';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { Sum } from '../parts/sum.tsx';
import { LookGuide } from './look-guide.tsx';
import { HINT_ICONS, hintTone } from './look-hints.ts';
import type { ScreenProps } from './screen-props.ts';

export function LookScreen({ screen }: ScreenProps<'look'>) {
  const t = useTexts();
  const { hint, progress, face, amount, service } = screen;
  const tone = hintTone(hint, face !== null);
  const percent = Math.round(progress * 100);
  return (
    <div className="look">
      <div className="look-picture" data-tone={tone}>
        <CameraPreview label={t('look.preview')} />
        <LookGuide progress={progress} face={face} />
      </div>
      <div className="look-words">
        <div>
          <h1>{t('look.title')}</h1>
          {service === 'enrol' && <p className="look-service">{t('look.remember')}</p>}
          {service === 'opt-out' && <p className="look-service">{t('look.forget')}</p>}
        </div>
        <div className="look-hint" data-tone={tone} aria-live="polite" aria-atomic="true">
          <Icon name={hint ? HINT_ICONS[hint] : 'face'} />
          <p>{t(`look.hints.${hint ?? 'none'}`)}</p>
        </div>
        <progress className="look-progress" aria-label={t('look.progress')} max={100} value={percent} />
        {amount && <Sum label={t(service === 'purchase' ? 'look.pay' : 'pin.amount')} amount={amount} />}
      </div>
    </div>
  );
}
