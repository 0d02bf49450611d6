import './pin.css';
import { useTexts } from '../i18n/i18n.ts';
import { Notice } from '../parts/notice.tsx';
import { Sum } from '../parts/sum.tsx';
import { PinPadPicture } from './pin-pad-picture.tsx';
import type { ScreenProps } from './screen-props.ts';

export function PinScreen({ screen }: ScreenProps<'pin'>) {
  const t = useTexts();
  const { purpose, digits, digitsMin, digitsMax, problem, attemptsLeft, amount } = screen;
  return (
    <div className="pin">
      <div className="pin-words">
        <h1>{t(`pin.${purpose}`)}</h1>
        {problem && (
          <Notice kind="problem">
            {t(`pin.problem.${problem}`)} {attemptsLeft !== null && <Attempts left={attemptsLeft} />}
          </Notice>
        )}
        <p className="lead">{t('pin.use')}</p>
        <PinDots {...{ digits, digitsMin, digitsMax }} />
        <p className="pin-length">
          {digitsMin === digitsMax
            ? t('pin.length', { digits: digitsMin })
            : t('pin.lengthRange', { min: digitsMin, max: digitsMax })}
          {'　'}
          {purpose === 'choose' ? t('pin.advice') : t('pin.cover')}
        </p>
      </div>
      <div className="pin-side">
        {amount && <Sum label={t('pin.amount')} amount={amount} size="small" />}
        <PinPadPicture />
      </div>
    </div>
  );
}

function Attempts({ left }: { left: number }) {
  const t = useTexts();
  return <strong>{left === 1 ? t('pin.lastAttempt') : t('pin.attemptsLeft', { attempts: left })}</strong>;
}

function PinDots({ digits, digitsMin, digitsMax }: { digits: number; digitsMin: number; digitsMax: number }) {
  const t = useTexts();
  return (
    <div className="pin-dots" role="img" aria-label={t('pin.entered', { digits })}>
      {Array.from({ length: digitsMax }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a place is its number
        <span key={at} className="pin-dot" data-filled={at < digits} data-needed={at < digitsMin} />
      ))}
    </div>
  );
}
