/**
 * One HTML document with no other file than its font: style and script stand in it and are named by hash in its policy, its data is
 * JSON that no browser runs.
 */
import { createHash } from 'node:crypto';
import { fontFaces } from './font.ts';
import type { PageAnswer } from './server.ts';

export interface PageDocument {
  readonly title: string;
  readonly style: string;
  /** Plain browser code; finds its data as JSON in the element "content". */
  readonly script: string;
  /** Markup of our own; nothing from outside goes here. */
  readonly body: string;
  /** Anything JSON can carry. */
  readonly content: unknown;
}

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export function pageDocument({ title, style, script, body, content }: PageDocument): PageAnswer {
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': policy },
    body: `<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${style}</style></head><body>
${body}
<script type="application/json" id="content">${JSON.stringify(content).replaceAll('<', '\\u003c')}</script>
<script>${script}</script></body></html>`,
  };
}

/** The top of every page: the words of `title`, whose page it is, what is in the middle, and the languages. */
export function header(title: string, middle: string): string {
  const language = (code: string, name: string) =>
    `<button id="lang-${code}" type="button" lang="${code}">${name}</button>`;
  return `<header><div><h1>KAOPASS <small data-t="${title}"></small></h1><p id="name"></p></div>
${middle}
<div class="row">${language('ja', '日本語')}${language('en', 'English')}</div></header>`;
}

/** Where `say()` of the script speaks. */
export const toast = '<div id="toast" role="alert"></div>';

/** A headed part of a page; the script fills in the words of `title`. */
export function section(id: string, title: string, inside: string): string {
  return `<section aria-labelledby="${id}-title"><h2 id="${id}-title" data-t="${title}"></h2>${inside}</section>`;
}

/** What every page of the terminal looks like: colours for a bright and a dark room, targets a finger can hit. */
export const baseStyle = `
${fontFaces}
:root{color-scheme:light dark;--ink:#14213a;--soft:#5a6780;--paper:#f3f5f9;--card:#fff;--line:#dce1ea;--key:#eef1f6;--main:#1a56c4;--on:#fff;--good:#137a4b;--bad:#b3261e;--warn:#8a5a00}
@media (prefers-color-scheme:dark){:root{--ink:#e9eef8;--soft:#a5b1c8;--paper:#0e1420;--card:#182030;--line:#2b364b;--key:#222d42;--main:#7fb0ff;--on:#0b1830;--good:#66d9a0;--bad:#ff9a92;--warn:#ffc766}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 "Noto Sans JP","Hiragino Sans","Yu Gothic UI",system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header{display:flex;flex-wrap:wrap;gap:16px 32px;align-items:center;justify-content:space-between;padding:20px 28px;background:var(--card);border-bottom:1px solid var(--line)}
h1{margin:0;font-size:22px;letter-spacing:.06em}h1 small{font-size:15px;font-weight:500;letter-spacing:0;color:var(--soft);margin-left:8px}
header p{margin:0;color:var(--soft)}
h2{margin:0 0 12px;font-size:17px}
section{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:20px}
button,select{font:inherit;color:inherit;min-height:44px;padding:8px 16px;border:1px solid var(--line);border-radius:10px;background:var(--key)}
button{cursor:pointer}button:hover{border-color:var(--main)}
button:disabled{opacity:.45;cursor:default}
button.primary,button[aria-pressed=true]{background:var(--main);color:var(--on);border-color:var(--main);font-weight:700}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
.row{display:flex;flex-wrap:wrap;gap:8px}
#toast{position:fixed;left:50%;bottom:24px;translate:-50% 0;max-width:min(90vw,640px);padding:12px 20px;border-radius:12px;background:var(--ink);color:var(--paper);opacity:0;pointer-events:none;transition:opacity .2s}
#toast.shown{opacity:1}
@media (prefers-reduced-motion:reduce){#toast{transition:none}}
`;
