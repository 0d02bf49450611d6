import type { Language } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { LANGUAGES } from '../i18n/languages.ts';
import { useOffered, useTerminal, useView } from '../terminal-context.ts';
import { Mark } from './mark.tsx';

export function Header() {
  const { terminal } = useView();
  const t = useTexts();
  return (
    <header className="header">
      <div className="header-mark">
        <Mark className="header-mark-sign" />
        <span className="header-mark-name">
          <span lang="ja">顔パス</span>
          <small lang="en">Kaopass</small>
        </span>
      </div>
      <span className="header-terminal">{terminal.name}</span>
      {terminal.demonstration && <span className="header-demonstration">{t('header.demonstration')}</span>}
      <LanguageSwitch />
    </header>
  );
}

/** Each language calls itself by its own name, so that it is found by whoever can't read the current one. */
function LanguageSwitch() {
  const { view, send } = useTerminal();
  const t = useTexts();
  if (!useOffered('set-language')) return null;
  return (
    <fieldset className="language" aria-label={t('header.chooseLanguage')}>
      {(Object.keys(LANGUAGES) as Language[]).map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          className="language-choice"
          aria-pressed={language === view.language}
          data-intent="set-language"
          onClick={() => language !== view.language && send({ kind: 'set-language', language })}
        >
          {LANGUAGES[language].texts.language}
        </button>
      ))}
    </fieldset>
  );
}
