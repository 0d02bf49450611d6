import './cash.css';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import type { ScreenProps } from './screen-props.ts';
import { SlotPicture } from './slot-picture.tsx';

export function InsertCashScreen({ screen }: ScreenProps<'insert-cash'>) {
  const t = useTexts();
  const { money } = useMoney();
  return (
    <div className="cash">
      <SlotPicture direction="in" />
      <div className="cash-words">
        <h1>{t('insertCash.title')}</h1>
        {screen.problem && <Notice kind="problem">{t(`insertCash.problem.${screen.problem}`)}</Notice>}
        <p className="lead">{t('insertCash.body')}</p>
        <p className="cash-small">{t('insertCash.max', { max: money(screen.maxAmount) })}</p>
        <div className="answers answers-one">
          <IntentButton intent={{ kind: 'confirm' }} look="first" icon="tick">
            {t('insertCash.allIn')}
          </IntentButton>
        </div>
      </div>
    </div>
  );
}
