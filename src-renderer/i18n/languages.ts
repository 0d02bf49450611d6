/** Every language of the screen. To add one: its code in src-contract's Language, a file beside this one, a line here. */
import type { Language } from '../../src-contract/primitives.ts';
import { en } from './en.ts';
import { ja, type Texts } from './ja.ts';

export const LANGUAGES: Readonly<Record<Language, { readonly texts: Texts; readonly locale: string }>> = {
  ja: { texts: ja, locale: 'ja-JP' },
  en: { texts: en, locale: 'en' },
};
