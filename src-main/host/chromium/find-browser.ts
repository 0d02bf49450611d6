/**
 * Which Chromium draws the screen. With a display: the one a technician names, else an installed one. Without: the one that set-up
 * unpacked, else an installed one, both headless.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { TerminalError } from '../../errors.ts';

export interface Browser {
  readonly path: string;
  /** named: by KAOPASS_BROWSER; bundled: unpacked by set-up, a headless shell without a window. */
  readonly source: 'named' | 'installed' | 'bundled';
  /** True where nobody can look: no display. */
  readonly headless: boolean;
  /** Libraries a bare Linux lacks, for LD_LIBRARY_PATH after the system's own; null where none came with it. */
  readonly libraryDir: string | null;
}

export interface FindBrowserOptions {
  readonly platform?: NodeJS.Platform;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where set-up unpacked the bundled Chromium (.cache/chromium of a checkout). Null or absent: there is none. */
  readonly bundledDir?: string | null;
  /** Prefers a browser without a window even where there is a display: for demonstrations and tests. */
  readonly headless?: boolean;
  readonly isExecutable?: (file: string) => boolean;
}

function installedPaths(platform: NodeJS.Platform, env: Readonly<Record<string, string | undefined>>): string[] {
  if (platform === 'win32') {
    const roots = [env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], env['LOCALAPPDATA']].filter(
      (root) => root !== undefined,
    );
    const tails = [
      'Google\\Chrome\\Application\\chrome.exe',
      'Microsoft\\Edge\\Application\\msedge.exe',
      'Chromium\\Application\\chrome.exe',
    ];
    return tails.flatMap((tail) => roots.map((root) => `${root}\\${tail}`));
  }
  if (platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
      (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
    );
  }
  const names = [
    'chromium',
    'chromium-browser',
    'google-chrome-stable',
    'google-chrome',
    'microsoft-edge-stable',
    'microsoft-edge',
  ];
  const folders = [
    ...new Set([...(env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/')), '/usr/bin', '/snap/bin']),
  ];
  return names.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a window could be seen: X11 or Wayland on Linux, always on a desktop system. */
export function hasDisplay(platform: NodeJS.Platform, env: Readonly<Record<string, string | undefined>>): boolean {
  return platform === 'win32' || platform === 'darwin' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}

/** Throws BROWSER_MISSING that says where was looked. */
export function findBrowser(options: FindBrowserOptions = {}): Browser {
  const { platform = process.platform, env = process.env, bundledDir = null, isExecutable = executable } = options;
  const headless = options.headless ?? !hasDisplay(platform, env);
  const named = env['KAOPASS_BROWSER'];
  if (named) {
    if (!isExecutable(named)) {
      throw new TerminalError('BROWSER_MISSING', `KAOPASS_BROWSER names ${named}, which is no program that can be run`);
    }
    return { path: named, source: 'named', headless, libraryDir: null };
  }
  const bundledPath = bundledDir === null ? undefined : path.join(bundledDir, 'chromium');
  if (headless && bundledDir !== null && bundledPath !== undefined && isExecutable(bundledPath)) {
    const libraryDir = path.join(bundledDir, 'lib');
    return { path: bundledPath, source: 'bundled', headless, libraryDir: existsSync(libraryDir) ? libraryDir : null };
  }
  const installed = installedPaths(platform, env).find((file) => isExecutable(file));
  if (installed) return { path: installed, source: 'installed', headless, libraryDir: null };
  throw new TerminalError(
    'BROWSER_MISSING',
    headless
      ? `no Chromium, Chrome or Edge is installed, and none was unpacked${bundledDir === null ? '' : ` in ${bundledDir}`}; run "npm run setup" or set KAOPASS_BROWSER`
      : 'no Chromium, Chrome or Edge is installed; install one or set KAOPASS_BROWSER to its path',
  );
}
