import { describe, expect, it } from 'vitest';
import { findBrowser } from './find-browser.ts';

const only = (...files: string[]) => ({ isExecutable: (file: string) => files.includes(file) });

describe('finding a browser', () => {
  it('takes the one a technician names before any other', () => {
    const env = { KAOPASS_BROWSER: '/opt/kiosk/chrome', DISPLAY: ':0', PATH: '/usr/bin' };
    const found = findBrowser({ platform: 'linux', env, ...only('/opt/kiosk/chrome', '/usr/bin/chromium') });
    expect(found).toEqual({ path: '/opt/kiosk/chrome', source: 'named', headless: false, libraryDir: null });
  });

  it('refuses a named one that cannot be run, naming it', () => {
    const env = { KAOPASS_BROWSER: '/opt/none' };
    expect(() => findBrowser({ platform: 'linux', env, ...only() })).toThrow('KAOPASS_BROWSER names /opt/none');
  });

  it('takes an installed one where there is a display', () => {
    const env = { WAYLAND_DISPLAY: 'wayland-0', PATH: '/usr/local/bin:/usr/bin' };
    const there = only('/usr/bin/google-chrome', '/data/chromium/chromium');
    expect(findBrowser({ platform: 'linux', env, bundledDir: '/data/chromium', ...there })).toMatchObject({
      path: '/usr/bin/google-chrome',
      headless: false,
    });
  });

  it('takes the unpacked one without a display, or when asked for no window', () => {
    const there = only('/usr/bin/chromium', '/data/chromium/chromium');
    const bundled = { path: '/data/chromium/chromium', source: 'bundled', headless: true };
    const common = { platform: 'linux', bundledDir: '/data/chromium', ...there } as const;
    expect(findBrowser({ ...common, env: { PATH: '/usr/bin' } })).toMatchObject(bundled);
    expect(findBrowser({ ...common, env: { PATH: '/usr/bin', DISPLAY: ':0' }, headless: true })).toMatchObject(bundled);
  });

  it('takes an installed one headless where none was unpacked', () => {
    const found = findBrowser({ platform: 'linux', env: {}, ...only('/usr/bin/chromium') });
    expect(found).toMatchObject({ path: '/usr/bin/chromium', source: 'installed', headless: true });
  });

  it('knows where Windows and macOS keep theirs', () => {
    const edge = 'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe';
    const env = { 'PROGRAMFILES(X86)': 'C:\\Program Files (x86)' };
    expect(findBrowser({ platform: 'win32', env, ...only(edge) }).path).toBe(edge);
    const chrome = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
    expect(findBrowser({ platform: 'darwin', env: {}, ...only(chrome) })).toMatchObject({
      path: chrome,
      headless: false,
    });
  });

  it('says what to do where there is none', () => {
    const none = { platform: 'linux', env: {}, bundledDir: '/data/chromium', ...only() } as const;
    expect(() => findBrowser(none)).toThrow(expect.objectContaining({ code: 'BROWSER_MISSING' }));
    expect(() => findBrowser(none)).toThrow('npm run setup');
  });
});
