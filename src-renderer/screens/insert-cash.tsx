import './cash.css';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import type { ScreenProps } from './screen-props.ts';
import { SlotPicture } from './slot-picture.tsx';

export function InsertCashScreen({ screen }: ScreenProps<'insert-cash'>) {
  const t = useTexts();
  const { money, minor } = useMoney();
  const { maxNotes, fullFor } = screen;
  return (
    <div className="cash">
      <SlotPicture direction="in" />
      <div className="cash-words">
        <h1>{t('insertCash.title')}</h1>
        {/* One at a time, so that it is read: what just went wrong, then what this machine can't take now. The small line has the number. */}
        {screen.problem ? (
          <Notice kind="problem">{t(`insertCash.problem.${screen.problem}`)}</Notice>
        ) : fullFor.length > 0 ? (
          <Notice kind="info">
            {t('insertCash.fullFor', { kinds: fullFor.map(minor).join(t('insertCash.and')) })}
          </Notice>
        ) : (
          maxNotes !== null && <Notice kind="info">{t('insertCash.nearlyFull', { notes: maxNotes })}</Notice>
        )}
        <p className="lead">{t('insertCash.body')}</p>
        <p className="cash-small">
          {maxNotes === null
            ? t('insertCash.max', { max: money(screen.maxAmount) })
            : t('insertCash.maxNotes', { notes: maxNotes, max: money(screen.maxAmount) })}
        </p>
        <div className="answers answers-one">
          <IntentButton intent={{ kind: 'confirm' }} look="first" icon="tick">
            {t('insertCash.allIn')}
          </IntentButton>
        </div>
      </div>
    </div>
  );
}
