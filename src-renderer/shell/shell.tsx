/** What every screen has around it: header, the screen itself, and a footer with the ways on that the screen doesn't draw. */
import './shell.css';
import { type ReactNode, useEffect, useRef } from 'react';
import { useView } from '../terminal-context.ts';
import { Footer } from './footer.tsx';
import { Header } from './header.tsx';
import { OfflineNotice } from './offline-notice.tsx';

export function Shell({ children }: { children: ReactNode }) {
  const { language, screen } = useView();
  const main = useRef<HTMLElement>(null);
  const name = screen.name;

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  // A reader hears the new screen, and Tab starts at its top, not where the last screen's button was.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new screen is what moves the focus
  useEffect(() => {
    main.current?.focus({ preventScroll: true });
    main.current?.scrollTo(0, 0);
  }, [name]);

  return (
    <div className="shell">
      <Header />
      <OfflineNotice />
      <main ref={main} className="shell-main" data-screen={name} tabIndex={-1}>
        <div key={name} className="screen">
          {children}
        </div>
      </main>
      <Footer />
    </div>
  );
}
