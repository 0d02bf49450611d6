import { useTexts } from '../i18n/i18n.ts';
import { Spinner } from '../parts/spinner.tsx';
import type { ScreenProps } from './screen-props.ts';

export function WaitScreen({ screen }: ScreenProps<'wait'>) {
  const t = useTexts();
  return (
    <div className="centred" aria-live="polite">
      <Spinner />
      <h1>{t(`wait.${screen.what}.title`)}</h1>
      <p className="lead">{t(`wait.${screen.what}.body`)}</p>
    </div>
  );
}
