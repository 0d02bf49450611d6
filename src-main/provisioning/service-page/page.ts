/** Markup and style of the technician's page; its script fills it in. */
import type { Profile } from '../../../src-contract/primitives.ts';
import { baseStyle, header, pageDocument, section, toast } from '../../local-page/document.ts';
import type { PageAnswer } from '../../local-page/server.ts';
import type { DeviceKey } from '../device-health.ts';
import { TEST_HINTS } from '../device-tests.ts';
import { servicePageScript } from './script.ts';

export function servicePage(content: {
  readonly terminalName: string;
  readonly profile: Profile;
  readonly keys: readonly DeviceKey[];
}): PageAnswer {
  const { terminalName, profile, keys } = content;
  const body = `${header('page', '<p class="verdict" id="verdict" role="status"></p>')}
<main>
<div id="notices" role="status"></div>
<p class="notice" id="notice" hidden></p>
<div class="suspects" id="suspects"></div>
${section('services', 'services', '<ul id="service-list"></ul>')}
<div class="devices" id="devices"></div>
${section('day-close', 'dayClose', '<p class="state" id="day-close-state"></p><dl id="day-close-facts"></dl><div class="scroll" tabindex="0" role="group" aria-labelledby="day-close-title"><table id="day-close-differences"></table></div><div class="deeds"><p class="hint" id="day-close-hint"></p><div class="row"><button type="button" id="close-day"></button></div></div>')}
${section('history', 'history', '<p class="soft" id="no-history"></p><div class="scroll" tabindex="0" role="group" aria-labelledby="history-title"><table id="changes"></table></div>')}
</main>${toast}`;
  return pageDocument({
    title: 'Kaopass',
    style: `${baseStyle}${STYLE}`,
    script: servicePageScript,
    body,
    content: { name: terminalName, profile, keys, hints: TEST_HINTS },
  });
}

const STYLE = `
main{display:grid;gap:20px;padding:24px 28px;max-width:1480px;margin:auto}
main>*{min-width:0}
.devices{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:20px}
.devices section{display:flex;flex-direction:column;gap:10px;border-left-width:6px}
.devices h2{margin:0}
.suspects{display:grid;gap:20px}.suspects:empty{display:none}
.suspects section{display:grid;gap:14px;border-left:6px solid var(--bad)}
.suspects h2,.suspects h3,.suspects p,fieldset{margin:0}.suspects h3{font-size:16px}
fieldset{border:1px solid var(--line);border-radius:12px;padding:14px 16px;display:grid;gap:12px}legend{padding:0 6px;font-weight:700}
.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,180px),1fr));gap:12px}
label{display:grid;gap:4px;font-size:15px;align-content:start}
[hidden]{display:none!important}
.sure{align-items:center;font-weight:700}
label small{font-size:13px}
input,textarea{font:inherit;color:inherit;min-height:44px;padding:8px 12px;border:1px solid var(--line);border-radius:10px;background:var(--paper);width:100%}
input[aria-invalid=true],textarea[aria-invalid=true]{border-color:var(--bad);outline:1px solid var(--bad)}
.total{font-weight:700;font-variant-numeric:tabular-nums}
.verdict{flex:1;font-weight:700;color:var(--good)}.verdict.bad{color:var(--bad)}
.notice{margin:0;padding:12px 16px;border-radius:12px;border:1px solid var(--warn);color:var(--warn);font-weight:700}
.notice.bad{border-color:var(--bad);color:var(--bad)}#notices{display:grid;gap:10px}#notices:empty{display:none}
.soft,dt,small{color:var(--soft)}
.state{margin:0;font-weight:700;color:var(--good)}
.good{border-left-color:var(--good)}.warn{border-left-color:var(--warn)}.bad{border-left-color:var(--bad)}
.warn .state,.warning{color:var(--warn)}.bad .state,.hindrance{color:var(--bad)}
.problem{margin:0;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:0;font-size:15px}
dd{margin:0;overflow-wrap:anywhere;white-space:pre-line}
table{border-collapse:collapse;width:100%;font-size:15px;font-variant-numeric:tabular-nums}
th{color:var(--soft);font-weight:500;text-align:left}
th,td{padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.number{text-align:right}td.bad{border:0;border-bottom:1px solid var(--line);color:var(--bad);font-weight:700}
.scroll{overflow:auto;max-height:420px}
.deeds{margin-top:auto;display:grid;gap:8px}
.deeds .hint{margin:0;font-size:14px;color:var(--soft)}
.result{margin:0;font-weight:700}.result:empty{display:none}.result.passed{color:var(--good)}.result.failed{color:var(--bad)}
#service-list{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:10px 20px}
#service-list li{border-left:6px solid var(--good);padding-left:12px}
#service-list li.away{border-left-color:var(--bad)}#service-list li.poorer{border-left-color:var(--warn)}
#service-list p{margin:0}
td.number,td:first-child,.devices td:last-child,.devices th{white-space:nowrap}
@media (max-width:600px){header,main{padding:16px}section{padding:16px}.devices table{font-size:14px}.devices th,.devices td{padding-right:6px}}
`;
