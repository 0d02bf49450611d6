import './receipt.css';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { Sum } from '../parts/sum.tsx';
import type { ScreenProps } from './screen-props.ts';

export function ReceiptScreen({ screen }: ScreenProps<'receipt'>) {
  const t = useTexts();
  return (
    <div className="receipt">
      <span className="receipt-sign">
        <Icon name="receipt" />
      </span>
      <h1>{t(screen.service === 'purchase' ? 'receipt.titlePurchase' : 'receipt.title')}</h1>
      <div className="receipt-sums">
        <Sum label={t('receipt.amount')} amount={screen.amount} />
        {screen.balance && <Sum label={t('receipt.balance')} amount={screen.balance} size="small" />}
      </div>
      <div className="answers">
        <IntentButton intent={{ kind: 'choose-receipt', print: false }} look="second">
          {t('receipt.no')}
        </IntentButton>
        <IntentButton intent={{ kind: 'choose-receipt', print: true }} look="first" icon="receipt">
          {t('receipt.yes')}
        </IntentButton>
      </div>
    </div>
  );
}
