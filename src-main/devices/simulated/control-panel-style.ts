/** Style of the control panel. */
export const panelStyle = `
:root{color-scheme:light dark;--ink:#14213a;--soft:#5a6780;--paper:#f3f5f9;--card:#fff;--line:#dce1ea;--key:#eef1f6;--main:#1a56c4;--on:#fff;--good:#137a4b;--bad:#b3261e;--warn:#8a5a00}
@media (prefers-color-scheme:dark){:root{--ink:#e9eef8;--soft:#a5b1c8;--paper:#0e1420;--card:#182030;--line:#2b364b;--key:#222d42;--main:#7fb0ff;--on:#0b1830;--good:#66d9a0;--bad:#ff9a92;--warn:#ffc766}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 "Noto Sans JP","Hiragino Sans","Yu Gothic UI",system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header{display:flex;flex-wrap:wrap;gap:16px 32px;align-items:center;justify-content:space-between;padding:20px 28px;background:var(--card);border-bottom:1px solid var(--line)}
h1{margin:0;font-size:22px;letter-spacing:.06em}h1 small{font-size:15px;font-weight:500;letter-spacing:0;color:var(--soft);margin-left:8px}
header p{margin:0;color:var(--soft)}
main{columns:320px;column-gap:20px;padding:24px 28px;max-width:1480px;margin:auto}
section{break-inside:avoid;margin:0 0 20px;background:var(--card);border:1px solid var(--line);border-radius:16px;padding:20px}
h2{margin:0 0 12px;font-size:17px}
button,select{font:inherit;color:inherit;min-height:44px;padding:8px 16px;border:1px solid var(--line);border-radius:10px;background:var(--key)}
button{cursor:pointer}button:hover{border-color:var(--main)}
button:disabled{opacity:.45;cursor:default}
button.primary,button[aria-pressed=true]{background:var(--main);color:var(--on);border-color:var(--main);font-weight:700}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
.row{display:flex;flex-wrap:wrap;gap:8px}
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
#toast{position:fixed;left:50%;bottom:24px;translate:-50% 0;max-width:min(90vw,640px);padding:12px 20px;border-radius:12px;background:var(--ink);color:var(--paper);opacity:0;pointer-events:none;transition:opacity .2s}
#toast.shown{opacity:1}
@media (prefers-reduced-motion:reduce){#toast{transition:none}}
`;
