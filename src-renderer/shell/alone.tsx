/** A screen with no view behind it: nobody has said which language, so it speaks every one. */
import './shell.css';
import type { ReactNode } from 'react';
import type { Language } from '../../src-contract/primitives.ts';
import type { Texts } from '../i18n/ja.ts';
import { LANGUAGES } from '../i18n/languages.ts';
import { Mark } from './mark.tsx';

export function Alone({ children, name }: { children: (texts: Texts) => ReactNode; name: string }) {
  return (
    <main className="alone" data-screen={name}>
      <Mark className="alone-mark" />
      {(Object.keys(LANGUAGES) as Language[]).map((language) => (
        <section key={language} lang={language} className="alone-language">
          {children(LANGUAGES[language].texts)}
        </section>
      ))}
    </main>
  );
}
