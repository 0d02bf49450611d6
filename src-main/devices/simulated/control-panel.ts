/**
 * The page for people who try Kaopass without hardware: a PIN pad, a cash slot, goods to scan, somebody to stand before the
 * camera, and faults to cause. One document without any other file; its script and style are named by hash in the policy.
 */
import { createHash } from 'node:crypto';
import type { CameraSource } from '../../../src-contract/screen.ts';
import { panelScript } from './control-panel-script.ts';
import { panelStyle } from './control-panel-style.ts';
import { FAULTS } from './faults.ts';

export interface PanelGoods {
  readonly barcode: string;
  readonly names: { readonly ja: string; readonly en: string };
  readonly priceMinor: number;
}

export interface PanelScene {
  /** Stable, e.g. "cap13". */
  readonly id: string;
  readonly names: { readonly ja: string; readonly en: string };
  readonly source: CameraSource;
}

export interface PanelContent {
  readonly profile: 'atm' | 'checkout' | 'gate';
  readonly name: string;
  readonly goods: readonly PanelGoods[];
  readonly scenes: readonly PanelScene[];
}

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Content-Security-Policy of the page. */
export const panelPolicy = [
  "default-src 'none'",
  `script-src ${hash(panelScript)}`,
  `style-src ${hash(panelStyle)}`,
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function controlPanel(content: PanelContent): string {
  const has = {
    atm: content.profile === 'atm',
    checkout: content.profile === 'checkout',
    pin: content.profile !== 'gate',
  };
  const section = (id: string, title: string, inside: string) =>
    `<section aria-labelledby="${id}-title"><h2 id="${id}-title" data-t="${title}"></h2>${inside}</section>`;
  const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'C', '0', 'E', '<'];
  const data = {
    ...content,
    scenes: content.scenes.map(({ id, names, source }) => ({ id, names, source })),
    faults: FAULTS,
  };
  return `<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Kaopass</title><style>${panelStyle}</style></head><body>
<header><div><h1>KAOPASS <small data-t="panel"></small></h1><p id="name"></p></div>
<div class="health" id="health" role="status"></div>
<div class="row"><button id="lang-ja" type="button" lang="ja">日本語</button><button id="lang-en" type="button" lang="en">English</button></div></header>
<main>
${section('camera', 'camera', '<div class="choices" id="scenes"></div>')}
${has.pin ? section('pin', 'pin', `<p class="hint" id="pin-hint"></p><div class="keypad">${keys.map((key) => `<button type="button" data-key="${key === '<' ? '&lt;' : key}"></button>`).join('')}</div>`) : ''}
${
  has.atm
    ? section(
        'cash-in',
        'cashIn',
        '<p class="hint" id="input-hint"></p><div class="bundle" id="bundle"></div><div class="row"><button type="button" class="primary" id="insert" data-t="insert"></button><button type="button" id="take-returned" data-t="takeReturned"></button></div>',
      ) +
      section(
        'cash-out',
        'cashOut',
        '<div class="slot" id="output"></div><button type="button" class="primary" id="take" data-t="take"></button>',
      ) +
      section('units', 'units', '<div id="cassettes"></div><p class="sum" id="sum"></p>')
    : ''
}
${has.checkout ? section('goods', 'goods', '<div class="goods" id="goods"></div>') : ''}
${section('faults', 'faults', '<div class="row"><select id="fault-device"></select><select id="fault-name"></select><select id="fault-mode"><option value="once"></option><option value="untilCleared"></option></select><button type="button" id="arm" data-t="arm"></button></div><ul id="armed"></ul>')}
${has.pin ? section('receipts', 'receipts', '<p class="hint" id="paper"></p><div class="receipts" id="receipts"></div>') : ''}
</main><div id="toast" role="alert"></div>
<script type="application/json" id="content">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${panelScript}</script></body></html>`;
}
