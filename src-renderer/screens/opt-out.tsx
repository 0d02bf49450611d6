import './opt-out.css';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';

export function OptOutScreen() {
  const t = useTexts();
  return (
    <div className="opt-out">
      <h1>{t('optOut.title')}</h1>
      <div className="opt-out-parts">
        <section className="opt-out-part opt-out-ends">
          <h2>
            <Icon name="cross" />
            {t('optOut.ends')}
          </h2>
          <ul>
            <li>{t('optOut.endings.data')}</li>
            <li>{t('optOut.endings.services')}</li>
          </ul>
        </section>
        <section className="opt-out-part opt-out-stays">
          <h2>
            <Icon name="tick" />
            {t('optOut.stays')}
          </h2>
          <ul>
            <li>{t('optOut.staying.account')}</li>
            <li>{t('optOut.staying.payments')}</li>
          </ul>
        </section>
      </div>
      <p className="opt-out-back">{t('optOut.back')}</p>
      {/* Two answers alike in weight: neither is the one the bank would rather have. */}
      <div className="answers">
        <IntentButton intent={{ kind: 'cancel' }} look="second">
          {t('optOut.no')}
        </IntentButton>
        <IntentButton intent={{ kind: 'confirm' }} look="second">
          {t('optOut.yes')}
        </IntentButton>
      </div>
    </div>
  );
}
