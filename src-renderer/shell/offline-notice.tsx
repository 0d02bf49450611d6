import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { useView } from '../terminal-context.ts';

export function OfflineNotice() {
  const { terminal } = useView();
  const t = useTexts();
  return (
    <output className="offline-notice" data-shown={!terminal.online}>
      {!terminal.online && (
        <>
          <Icon name="offline" />
          <span>{t('header.offline')}</span>
        </>
      )}
    </output>
  );
}
