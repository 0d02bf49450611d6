import './cash.css';
import { useTexts } from '../i18n/i18n.ts';
import { NotesTable } from '../parts/notes-table.tsx';
import { Sum } from '../parts/sum.tsx';
import type { ScreenProps } from './screen-props.ts';
import { SlotPicture } from './slot-picture.tsx';

export function TakeCashScreen({ screen }: ScreenProps<'take-cash'>) {
  const t = useTexts();
  return (
    <div className="cash">
      <SlotPicture direction="out" />
      <div className="cash-words">
        <h1>{t('takeCash.title')}</h1>
        <p className="lead">{t('takeCash.body')}</p>
        <div className="cash-card">
          <Sum amount={screen.amount} />
          <NotesTable notes={screen.notes} />
        </div>
      </div>
    </div>
  );
}

export function TakeReturnedScreen({ screen }: ScreenProps<'take-returned'>) {
  const t = useTexts();
  return (
    <div className="cash">
      <SlotPicture direction="out" />
      <div className="cash-words">
        <h1>{t('takeReturned.title')}</h1>
        <p className="lead">{t(`takeReturned.${screen.which}`)}</p>
        {screen.refusedNotes > 0 && <p className="lead">{t('takeReturned.count', { count: screen.refusedNotes })}</p>}
      </div>
    </div>
  );
}
