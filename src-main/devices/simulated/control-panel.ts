/**
 * The page for people who try Kaopass without hardware: a PIN pad, a cash slot, goods to scan, somebody to stand before the
 * camera, and faults to cause.
 */
import type { CameraSource } from '../../../src-contract/screen.ts';
import { header, pageDocument, section, toast } from '../../local-page/document.ts';
import type { PageAnswer } from '../../local-page/server.ts';
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
  /** Which simulated devices there are; null where the devices are no simulated ones, and only the camera is shown. */
  readonly devices: 'atm' | 'checkout' | 'gate' | null;
  readonly name: string;
  readonly goods: readonly PanelGoods[];
  readonly scenes: readonly PanelScene[];
}

export function controlPanel(content: PanelContent): PageAnswer {
  const has = {
    atm: content.devices === 'atm',
    checkout: content.devices === 'checkout',
    pin: content.devices === 'atm' || content.devices === 'checkout',
    faults: content.devices !== null,
  };
  const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'C', '0', 'E', '<'];
  const data = {
    ...content,
    scenes: content.scenes.map(({ id, names, source }) => ({ id, names, source })),
    faults: FAULTS,
  };
  const body = `${header('panel', '<div class="health" id="health" role="status"></div>')}
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
${has.faults ? section('faults', 'faults', '<div class="row"><select id="fault-device"></select><select id="fault-name"></select><select id="fault-mode"><option value="once"></option><option value="untilCleared"></option></select><button type="button" id="arm" data-t="arm"></button></div><ul id="armed"></ul>') : ''}
${has.pin ? section('receipts', 'receipts', '<p class="hint" id="paper"></p><div class="receipts" id="receipts"></div>') : ''}
</main>${toast}`;
  return pageDocument({ title: 'Kaopass', style: panelStyle, script: panelScript, body, content: data });
}
