import { useTexts } from '../i18n/i18n.ts';
import { Spinner } from '../parts/spinner.tsx';

export function StartingScreen() {
  const t = useTexts();
  return (
    <div className="centred">
      <Spinner />
      <h1>{t('starting.title')}</h1>
      <p className="lead">{t('starting.body')}</p>
    </div>
  );
}
