import { baseStyle } from '../../local-page/document.ts';

/** Style of the control panel. */
export const panelStyle = `${baseStyle}
main{columns:320px;column-gap:20px;padding:24px 28px;max-width:1480px;margin:auto}
section{break-inside:avoid;margin:0 0 20px}
.hint{margin:0 0 12px;color:var(--soft)}.hint.on{color:var(--good);font-weight:700}
.health{display:flex;flex-wrap:wrap;gap:6px 14px;font-size:14px;flex:1}
.health span::before{content:"";display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:6px;background:var(--good)}
.health span.warn::before{background:var(--warn)}.health span.bad{color:var(--bad);font-weight:700}.health span.bad::before{background:var(--bad)}
.keypad{display:grid;grid-template-columns:repeat(3,1fr);gap:10px}
.keypad button{min-height:60px;font-size:22px;font-weight:600;border-radius:12px}
.keypad button[data-key=E]{background:var(--good);color:var(--card);border-color:var(--good)}
.keypad button[data-key=C]{background:var(--bad);color:var(--card);border-color:var(--bad)}
.keypad button[data-key=E],.keypad button[data-key=C],.keypad button[data-key="<"]{font-size:16px}
.keypad button[data-key="<"]{grid-column:1/-1;min-height:48px}
.bundle{display:grid;gap:8px;margin-bottom:14px}
.bundle div{display:grid;grid-template-columns:1fr 44px 40px 44px;gap:8px;align-items:center;text-align:center}
.bundle span:first-child{text-align:left;font-weight:600}.bundle button{padding:0}
.slot{min-height:72px;border-radius:12px;border:2px dashed var(--line);display:grid;place-items:center;margin-bottom:14px;color:var(--soft);text-align:center;padding:8px}
.slot.full{border:2px solid var(--good);color:var(--good);font-size:20px;font-weight:700}
.unit{display:grid;grid-template-columns:44px 72px 1fr auto;gap:10px;align-items:center;padding:7px 0;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
.unit b{font-size:14px}.unit span:last-child{text-align:right}.unit meter{width:100%;height:12px}
.unit .bad{color:var(--bad);font-weight:700}
.sum{margin:12px 0 0;color:var(--soft);font-size:14px;font-variant-numeric:tabular-nums}
.choices{display:grid;gap:8px}.choices button{text-align:left}
.goods{display:grid;grid-template-columns:repeat(auto-fill,minmax(132px,1fr));gap:10px}
.goods button{display:grid;gap:2px;padding:12px;text-align:left;align-content:space-between}
.goods small{color:var(--soft)}
#armed{list-style:none;margin:12px 0 0;padding:0;display:grid;gap:6px}
#armed button{white-space:nowrap}
#armed li{display:flex;justify-content:space-between;align-items:center;gap:8px;color:var(--bad)}
.receipts{display:grid;grid-template-columns:repeat(auto-fill,minmax(128px,1fr));gap:12px;max-height:560px;overflow:auto}
.receipts a{display:block;border-radius:8px}
.receipts img{width:100%;display:block;border-radius:8px;box-shadow:0 1px 6px #0003}
`;
