import './consent.css';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { useReadOn } from '../parts/use-read-on.ts';
import { useView } from '../terminal-context.ts';
import type { ScreenProps } from './screen-props.ts';

export function ConsentScreen({ screen }: ScreenProps<'consent'>) {
  const { language } = useView();
  const t = useTexts();
  const { version, texts } = screen.consent;
  const text = texts[language];
  const { scroller, moreBelow, readOn } = useReadOn();
  return (
    <div className="consent">
      <div>
        <h1>{text.title}</h1>
        <p className="consent-ask">{t('consent.ask')}</p>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section ref={scroller} className="consent-text" tabIndex={0} aria-label={t('consent.scroll')}>
        {text.paragraphs.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
        <p className="consent-version">{t('consent.version', { version })}</p>
      </section>
      {moreBelow && (
        <div className="consent-fade">
          <button type="button" className="consent-more" onClick={readOn}>
            <Icon name="down" />
            {t('consent.more')}
          </button>
        </div>
      )}
    </div>
  );
}

/** In the footer's row: the text needs the height. */
export function ConsentAnswers({ screen }: ScreenProps<'consent'>) {
  const t = useTexts();
  const { version } = screen.consent;
  return (
    <>
      <IntentButton intent={{ kind: 'answer-consent', version, agreed: false }} look="second" className="footer-answer">
        {t('consent.disagree')}
      </IntentButton>
      <IntentButton
        intent={{ kind: 'answer-consent', version, agreed: true }}
        look="first"
        icon="tick"
        className="footer-answer"
      >
        {t('consent.agree')}
      </IntentButton>
    </>
  );
}
