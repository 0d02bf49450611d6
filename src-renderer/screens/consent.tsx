import './consent.css';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { useView } from '../terminal-context.ts';
import type { ScreenProps } from './screen-props.ts';

export function ConsentScreen({ screen }: ScreenProps<'consent'>) {
  const { language } = useView();
  const t = useTexts();
  const { version, texts } = screen.consent;
  const text = texts[language];
  return (
    <div className="consent">
      <h1>{text.title}</h1>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section className="consent-text" tabIndex={0} aria-label={t('consent.scroll')}>
        {text.paragraphs.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
        <p className="consent-version">{t('consent.version', { version })}</p>
      </section>
      <p className="consent-ask">{t('consent.ask')}</p>
      <div className="answers">
        <IntentButton intent={{ kind: 'answer-consent', version, agreed: false }} look="second" icon="cross">
          {t('consent.disagree')}
        </IntentButton>
        <IntentButton intent={{ kind: 'answer-consent', version, agreed: true }} look="first" icon="tick">
          {t('consent.agree')}
        </IntentButton>
      </div>
    </div>
  );
}
