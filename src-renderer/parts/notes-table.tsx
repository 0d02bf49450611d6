import './notes-table.css';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';

/** Notes by denomination, largest first. */
export function NotesTable({ notes }: { notes: readonly NoteCount[] }) {
  const t = useTexts();
  const { minor } = useMoney();
  const shown = notes.filter((note) => note.count > 0).sort((a, b) => b.denominationMinor - a.denominationMinor);
  if (shown.length === 0) return null;
  return (
    <table className="notes">
      <caption>{t('notes.caption')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('notes.denomination')}</th>
          <th scope="col">{t('notes.count')}</th>
          <th scope="col">{t('notes.amount')}</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((note) => (
          <tr key={note.denominationMinor}>
            <th scope="row">{minor(note.denominationMinor)}</th>
            <td>{t('common.notes', { count: note.count })}</td>
            <td>{minor((note.denominationMinor * note.count) as MinorUnits)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
