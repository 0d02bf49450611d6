import './basket.css';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import type { BasketLine } from '../../src-contract/screen.ts';
import { useTexts } from '../i18n/i18n.ts';
import { useMoney } from '../i18n/money.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { Sum } from '../parts/sum.tsx';
import { useView } from '../terminal-context.ts';
import type { ScreenProps } from './screen-props.ts';

export function BasketScreen({ screen }: ScreenProps<'basket'>) {
  const t = useTexts();
  const { lines, total, problem } = screen;
  const items = lines.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <div className="basket">
      <div className="basket-goods">
        {problem && <Notice kind="problem">{t(`basket.problem.${problem}`)}</Notice>}
        {lines.length === 0 ? <EmptyBasket /> : <Lines lines={lines} />}
      </div>
      {lines.length > 0 && (
        <div className="basket-pay">
          <p className="basket-more">
            <Icon name="scan" />
            {t('basket.scanMore')}
          </p>
          <p className="basket-items">{t('basket.items', { count: items })}</p>
          <Sum label={t('basket.total')} amount={total} />
          <IntentButton intent={{ kind: 'pay' }} look="first" icon="face" className="basket-pay-button">
            {t('basket.pay')}
          </IntentButton>
        </div>
      )}
    </div>
  );
}

function EmptyBasket() {
  const t = useTexts();
  return (
    <div className="basket-empty">
      <span className="basket-empty-sign">
        <Icon name="scan" />
      </span>
      <h1>{t('basket.emptyTitle')}</h1>
      <p className="lead">{t('basket.emptyBody')}</p>
    </div>
  );
}

function Lines({ lines }: { lines: readonly BasketLine[] }) {
  const t = useTexts();
  return (
    <>
      <h1>{t('basket.title')}</h1>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section className="basket-scroll" tabIndex={0} aria-label={t('basket.title')}>
        <ul className="basket-lines">
          {lines.map((line) => (
            <Line key={line.lineId} line={line} />
          ))}
        </ul>
      </section>
    </>
  );
}

function Line({ line }: { line: BasketLine }) {
  const t = useTexts();
  const { language } = useView();
  const { money } = useMoney();
  const name = line.names[language];
  const price = { ...line.unitPrice, amountMinor: (line.unitPrice.amountMinor * line.quantity) as MinorUnits };
  return (
    <li className="basket-line">
      <span className="basket-name">
        {name}
        {line.quantity > 1 && <small>{t('basket.each', { price: money(line.unitPrice) })}</small>}
      </span>
      <span className="basket-quantity">× {line.quantity}</span>
      <span className="basket-price">{money(price)}</span>
      <IntentButton
        intent={{ kind: 'remove-line', lineId: line.lineId }}
        look="plain"
        className="basket-remove"
        icon="cross"
        label={t('basket.removeNamed', { name })}
      >
        {t('basket.remove')}
      </IntentButton>
    </li>
  );
}
