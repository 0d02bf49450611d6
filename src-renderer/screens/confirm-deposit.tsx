import './cash.css';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { NotesTable } from '../parts/notes-table.tsx';
import { Notice } from '../parts/notice.tsx';
import { Sum } from '../parts/sum.tsx';
import type { ScreenProps } from './screen-props.ts';

export function ConfirmDepositScreen({ screen }: ScreenProps<'confirm-deposit'>) {
  const t = useTexts();
  return (
    <div className="cash">
      <div className="cash-card">
        <NotesTable notes={screen.notes} />
        <Sum label={t('common.total')} amount={screen.amount} />
      </div>
      <div className="cash-words">
        <h1>{t('confirmDeposit.title')}</h1>
        {screen.refusedNotes > 0 && (
          <Notice kind="problem">{t('confirmDeposit.refused', { count: screen.refusedNotes })}</Notice>
        )}
        <p className="lead">{t('confirmDeposit.question')}</p>
        <div className="answers answers-stacked">
          <IntentButton intent={{ kind: 'confirm' }} look="first" icon="tick">
            {t('confirmDeposit.yes')}
          </IntentButton>
          <IntentButton intent={{ kind: 'cancel' }} look="second" icon="cross">
            {t('confirmDeposit.no')}
          </IntentButton>
        </div>
      </div>
    </div>
  );
}
