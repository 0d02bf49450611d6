/** The screen's texts. All of them are in the bundle, so a language is there the moment a view asks for it. */
import { createInstance } from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';
import { useView } from '../terminal-context.ts';
import type { Texts } from './ja.ts';
import { LANGUAGES } from './languages.ts';

const NAMESPACE = 'screen';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'screen';
    resources: { screen: Texts };
  }
}

export const i18n = createInstance();

/** Resolves at once: nothing is loaded. */
export async function startTexts(): Promise<void> {
  await i18n.use(initReactI18next).init({
    resources: Object.fromEntries(
      Object.entries(LANGUAGES).map(([language, { texts }]) => [language, { [NAMESPACE]: texts }]),
    ),
    lng: 'ja',
    fallbackLng: false,
    defaultNS: NAMESPACE,
    // React escapes what it draws.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
}

/** The texts in the language of the current view. */
export function useTexts() {
  const { language } = useView();
  return useTranslation(NAMESPACE, { i18n, lng: language }).t;
}
