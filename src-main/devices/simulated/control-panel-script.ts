import { baseScript } from '../../local-page/script.ts';

/** Script of the control panel. */
export const panelScript = `${baseScript}
const WORDS = {
  ja: { panel: 'デバイス操作パネル', camera: 'カメラの前に立つ人', pin: '暗証番号パッド', cashIn: '紙幣を入れる', cashOut: '紙幣の取り出し口', units: '紙幣カセット', goods: '商品をスキャン', faults: '故障を起こす', receipts: '印刷された明細票', insert: '投入する', take: '受け取る', takeReturned: '返却された紙幣を受け取る', arm: '起こす', once: '一度だけ', untilCleared: '解除まで', clear: '解除', pinOn: '入力を待っています', pinOff: '入力は求められていません', inputOn: '投入口が開いています', inputOff: '投入口は閉じています', nothing: '紙幣はありません', enter: '確認', cancel: '取消', correct: '訂正', notes: '枚', strange: '読めない紙片', inside: '機内', taken: '受取済', inserted: '投入', conserved: '紙幣の数は合っています', lost: '紙幣の数が合いません', paper: '用紙の残り', returned: '返却口に紙幣があります', device: 'このコンピューターのカメラ', offline: '端末につながりません' },
  en: { panel: 'device panel', camera: 'Before the camera', pin: 'PIN pad', cashIn: 'Insert notes', cashOut: 'Cash output', units: 'Cash units', goods: 'Scan goods', faults: 'Cause a fault', receipts: 'Printed receipts', insert: 'Insert', take: 'Take', takeReturned: 'Take returned notes', arm: 'Cause', once: 'once', untilCleared: 'until cleared', clear: 'Clear', pinOn: 'Waiting for digits', pinOff: 'No entry is asked for', inputOn: 'The input is open', inputOff: 'The input is closed', nothing: 'No notes', enter: 'Enter', cancel: 'Cancel', correct: 'Correct', notes: 'notes', strange: 'Unreadable paper', inside: 'inside', taken: 'taken', inserted: 'inserted', conserved: 'every note is accounted for', lost: 'notes are NOT accounted for', paper: 'Paper left', returned: 'Notes lie in the input tray', device: 'This computer’s camera', offline: 'The terminal does not answer' },
};
let state = null;
let last = '';
const bundle = new Map([[10000, 0], [5000, 0], [2000, 0], [1000, 0], [0, 0]]);
const tallyText = (tally) => Object.entries(tally).map(([note, count]) => yen(note) + ' × ' + count).join('　');

async function send(path, body) {
  try {
    const result = await post(path, body);
    if (!result.ok) say(result.message);
    await refresh();
    return result.ok;
  } catch { say(t('offline')); return false; }
}

function drawWords() {
  byId('name').textContent = content.name;
  for (const key of document.querySelectorAll('[data-key]')) {
    key.textContent = { E: t('enter'), C: t('cancel'), '<': t('correct') }[key.dataset.key] || key.dataset.key;
    key.onclick = () => send('/pin/keys', { keys: key.dataset.key });
  }
  for (const option of byId('fault-mode')?.options ?? []) option.textContent = t(option.value);
  const device = byId('fault-device');
  if (device && !device.options.length) {
    fill(device, ...Object.keys(content.faults).filter((name) => !state || name in state.health).map((name) => el('option', { value: name, textContent: name })));
    device.onchange = () => fill(byId('fault-name'), ...content.faults[device.value].map((name) => el('option', { value: name, textContent: name })));
    device.onchange();
  }
  drawBundle();
  last = '';
  if (state) draw();
  fill(byId('goods'), ...content.goods.map((one) => {
    const button = el('button', { type: 'button' }, el('b', { textContent: one.names[language] }), el('span', { textContent: yen(one.priceMinor) }), el('small', { textContent: one.barcode }));
    button.onclick = () => send('/scan', { text: one.barcode });
    return button;
  }));
}
function drawBundle() {
  fill(byId('bundle'), ...[...bundle].map(([note, count]) => {
    const name = note === 0 ? t('strange') : yen(note);
    const change = (by, sign) => { const button = el('button', { type: 'button', textContent: sign }); button.setAttribute('aria-label', name + ' ' + sign); button.onclick = () => { bundle.set(note, Math.min(100, Math.max(0, bundle.get(note) + by))); drawBundle(); }; return button; };
    return el('div', {}, el('span', { textContent: name }), change(-1, '−'), el('span', { textContent: count }), change(1, '+'));
  }));
}
function draw() {
  fill(byId('health'), ...Object.entries(state.health).map(([name, health]) => el('span', { className: health.state !== 'online' ? 'bad' : health.problem ? 'warn' : '', textContent: name + (health.problem ? ': ' + health.problem : '') })));
  const scenes = [...content.scenes, { id: null, names: { ja: WORDS.ja.device, en: WORDS.en.device }, source: { kind: 'device', label: null } }];
  const canonical = (value) => JSON.stringify(value, (_, inner) => inner && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner);
  fill(byId('scenes'), ...scenes.map((scene) => {
    const button = el('button', { type: 'button', textContent: scene.names[language] });
    button.setAttribute('aria-pressed', canonical(scene.source) === canonical(state.camera));
    button.onclick = () => send('/camera', scene.id === null ? { source: scene.source } : { scene: scene.id });
    return button;
  }));
  if (state.pinPad) {
    const hint = byId('pin-hint');
    hint.textContent = t(state.pinPad.entering ? 'pinOn' : 'pinOff');
    hint.classList.toggle('on', state.pinPad.entering);
    for (const key of document.querySelectorAll('[data-key]')) key.disabled = !state.pinPad.entering;
  }
  if (state.cash) drawCash(state.cash);
  fill(byId('armed'), ...state.faults.map((one) => {
    const clear = el('button', { type: 'button', textContent: t('clear') });
    clear.onclick = () => send('/faults/clear', { device: one.device, fault: one.fault });
    return el('li', {}, el('span', { textContent: one.device + ': ' + one.fault + ' (' + t(one.mode) + ')' }), clear);
  }));
  if (state.printer) byId('paper').textContent = t('paper') + ': ' + state.printer.paper;
}
function drawCash(cash) {
  const hint = byId('input-hint');
  const back = Object.keys(cash.returned.notes).length > 0 || cash.returned.unrecognised > 0;
  hint.textContent = t(back ? 'returned' : cash.inputOpen ? 'inputOn' : 'inputOff');
  hint.classList.toggle('on', back || cash.inputOpen);
  byId('insert').disabled = !cash.inputOpen;
  byId('take-returned').disabled = !back;
  const out = byId('output');
  const full = Object.keys(cash.output).length > 0;
  out.textContent = full ? tallyText(cash.output) : t('nothing');
  out.classList.toggle('full', full);
  byId('take').disabled = !full;
  fill(byId('cassettes'), ...cash.units.map((unit) => {
    const meter = el('meter', { min: 0, max: unit.capacity, value: unit.count });
    meter.setAttribute('aria-label', unit.id);
    return el('div', { className: 'unit' }, el('b', { textContent: unit.id }), el('span', { textContent: unit.denominationMinor ? yen(unit.denominationMinor) : unit.kind }), meter, el('span', { className: unit.state === 'ok' || (unit.state === 'low' && !unit.denominationMinor) ? '' : 'bad', textContent: unit.count + ' ' + t('notes') }));
  }));
  const sums = cash.conservation;
  byId('sum').textContent = [t('inside') + ' ' + yen(sums.insideMinor), t('inserted') + ' ' + yen(sums.insertedMinor), t('taken') + ' ' + yen(sums.takenMinor), t(sums.holds ? 'conserved' : 'lost')].join(' · ');
}
let shown = '';
async function drawReceipts() {
  if (!byId('receipts')) return;
  const { receipts } = await get('/receipts');
  const key = receipts.map((one) => one.name).join();
  if (key === shown) return;
  shown = key;
  fill(byId('receipts'), ...receipts.slice(0, 12).map((one) => {
    const source = one.png + '?token=' + encodeURIComponent(token);
    return el('a', { href: source, target: '_blank', rel: 'noopener' }, el('img', { src: source, alt: one.name, loading: 'lazy' }));
  }));
}
async function refresh() {
  try {
    const answer = await get('/state');
    const text = JSON.stringify(answer.state);
    const first = state === null;
    state = answer.state;
    if (first) chooseLanguage(language);
    if (text !== last) { last = text; draw(); }
    await drawReceipts();
  } catch { say(t('offline')); }
}
if (byId('arm')) byId('arm').onclick = () => send('/faults', { device: byId('fault-device').value, fault: byId('fault-name').value, mode: byId('fault-mode').value });
if (byId('insert')) byId('insert').onclick = async () => {
  const notes = [...bundle].filter(([note, count]) => note > 0 && count > 0).map(([denominationMinor, count]) => ({ denominationMinor, count }));
  if (await send('/notes/insert', { notes, unrecognised: bundle.get(0) })) { for (const note of bundle.keys()) bundle.set(note, 0); drawBundle(); }
};
if (byId('take')) byId('take').onclick = () => send('/notes/take');
if (byId('take-returned')) byId('take-returned').onclick = () => send('/notes/take-returned');
async function watch() { await refresh(); setTimeout(watch, 600); }
watch();
`;
