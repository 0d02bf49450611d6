import { baseScript } from '../../local-page/script.ts';

/** Script of the technician's page. Cards are made once and then only change, so that nothing jumps from under a finger. */
export const servicePageScript = `${baseScript}
const WORDS = {
  ja: {
    page: '保守画面', services: 'サービス', history: '起動後の状態の変化', noHistory: '変化はありません。',
    cashDispenser: '紙幣出金機', cashAcceptor: '紙幣入金機', pinPad: '暗証番号パッド', receiptPrinter: '明細票プリンター', barcodeScanner: 'バーコードリーダー', lights: '案内灯', camera: 'カメラ',
    enrol: '顔の登録', deposit: '預け入れ', withdraw: '引き出し', balance: '残高照会', purchase: '買い物', 'opt-out': '登録の取り消し',
    online: '正常', warned: '要確認', offline: '応答なし', hardwareError: '故障', noDevice: '装置なし', userError: '操作が必要', fraudAttempt: '不正の疑い',
    pin: 'このカメラを登録', pinned: '登録済みのカメラ', notPinned: '未登録（最初に使うカメラを登録します）', pinSure: '最後に開いたカメラを、この端末のカメラとして登録しますか。', pinTold: '登録しました：',
    suspect: '未解決の取引のため停止中', test: 'テスト中',
    driver: 'ドライバー', connection: '接続先', since: '現在の状態', lastProblem: '最後の異常', none: '起動後なし',
    shutter: 'シャッター', stacker: 'スタッカー', outputPosition: '出金口', inputPosition: '入金口', escrow: '一時保留', paper: '用紙',
    closed: '閉', open: '開', jammed: '詰まり', empty: '空', notEmpty: '紙幣あり', unknown: '不明', full: '満杯', low: '残りわずか', papers: { full: '十分', low: '残りわずか', out: 'なし', jammed: '詰まり', unknown: '不明' },
    unit: 'カセット', kind: '種類', count: '枚数', cashOut: '出金', cashIn: '入金', recycle: '還流', reject: 'リジェクト', retract: '取り忘れ回収',
    ok: '正常', high: '満杯近い', inoperative: '使用不可', missing: '未装着',
    run: 'テスト', identify: '位置を示す', running: 'テスト中です…', passed: '合格', failed: '不合格',
    offered: '提供中', away: '提供できません', poorer: '一部制限', missingDevice: '装置がありません', notWorking: '装置が使えません', blocked: '停止中です', machineFull: '満杯です', bank: '銀行と通信できません', without: 'なしで提供',
    allWell: 'すべて正常です', troubles: (n) => n + '件の確認が必要です', busy: 'お客様が利用中です。テストはできません。', offlinePage: '端末が応答しません。', sheets: '枚',
    dayClose: '締め', closeNow: '今すぐ締める', closing: '締めています…', closeHint: '前回の締め以降の取引・紙幣の枚数・銀行の記帳を照合します。お客様の利用中は締められません。', noClose: 'まだ締めていません。',
    closeNumber: '番号', businessDate: '営業日', closedAt: '締めた時刻', dealings: '取引', inFlight: '処理中', notesOff: '枚数の差', answer: '銀行の照合', waits: '銀行の回答待ち', agrees: '一致しています', differs: (n) => n + '件の差異があります', noCash: '現金なし', notCounted: '枚数を確認できません', late: '前日からの繰越',
    differences: { 'not-posted': '銀行に記帳がありません', 'amount-differs': '金額が違います', 'unknown-to-terminal': '端末に記録がありません' }, atTerminal: '端末', atBank: '銀行', transaction: '取引番号', denomination: '金種', mixed: '混在', expected: '理論枚数', counted: '実枚数',
    time: '時刻', device: '装置', state: '状態', problem: '内容',
    suspectTitle: '結果の分からない取引', unordered: '金額未確定', evidence: '装置の回答など',
    suspectExplain: '装置は結果を答えられません。金額は保留中で、この装置は停止しています。技術者が数えた結果だけで終わらせることができます。',
    stepClear: '1. 搬送路を空にする', stepClearHint: '搬送路や出入口に残った紙幣を回収庫へ移し、装置にもう一度尋ねます。詰まりは先に手で取り除いてください。',
    clear: '搬送路を空にする', clearing: '動作中です…', clearedNow: (y) => '空になりました。回収した紙幣：' + y, stepCount: '2. 数えて記入する',
    countWithdraw: 'お客様が受け取った紙幣', countDeposit: 'お客様の紙幣のうち機械に残ったもの',
    hintWithdraw: 'カセット・リジェクト・回収庫を数え、差し引いて求めてください。', hintDeposit: 'カセット・一時保留・回収庫を数えてください。返却口で回収した紙幣も含みます。',
    total: '合計', staffId: '数えた人（職員番号）', noteLabel: 'メモ', noteHint: 'お客様の名前や口座番号は書かないでください', codeLabel: '技術者コード', codeHint: '銀行の担当者が発行。ない場合は空欄のまま：銀行が確認するまで金額は保留されます', countGo: '署名して記録する',
    countSure: 'この枚数で確定しますか。記録は取り消せません。', countYes: '確定する', countNo: '戻る', countTold: '記録し、銀行へ送りました。装置は再開します。', countLater: '記録しました。銀行には通信が戻り次第送ります。装置は再開します。',
  },
  en: {
    page: 'service page', services: 'Services', history: 'Changes since the start', noHistory: 'Nothing has changed.',
    cashDispenser: 'Cash dispenser', cashAcceptor: 'Cash acceptor', pinPad: 'PIN pad', receiptPrinter: 'Receipt printer', barcodeScanner: 'Barcode scanner', lights: 'Guide lights', camera: 'Camera',
    enrol: 'Face registration', deposit: 'Deposit', withdraw: 'Withdrawal', balance: 'Balance', purchase: 'Purchase', 'opt-out': 'Withdrawal of consent',
    online: 'Working', warned: 'Look at it', offline: 'Does not answer', hardwareError: 'Broken', noDevice: 'Not there', userError: 'Needs a hand', fraudAttempt: 'Fraud suspected',
    pin: 'Pin this camera', pinned: 'Pinned camera', notPinned: 'none (the first one used is pinned)', pinSure: 'Take the camera that was opened last for this terminal’s own?', pinTold: 'Pinned: ',
    suspect: 'Blocked by an unsettled transaction', test: 'Being tested',
    driver: 'Driver', connection: 'Connection', since: 'As it is since', lastProblem: 'Last problem', none: 'none since the start',
    shutter: 'Shutter', stacker: 'Stacker', outputPosition: 'Output', inputPosition: 'Input', escrow: 'Escrow', paper: 'Paper',
    closed: 'closed', open: 'open', jammed: 'jammed', empty: 'empty', notEmpty: 'notes in it', unknown: 'unknown', full: 'full', low: 'running low', papers: { full: 'enough', low: 'running low', out: 'out', jammed: 'jammed', unknown: 'unknown' },
    unit: 'Unit', kind: 'Kind', count: 'Notes', cashOut: 'cash out', cashIn: 'cash in', recycle: 'recycle', reject: 'reject', retract: 'retract',
    ok: 'ok', high: 'nearly full', inoperative: 'inoperative', missing: 'missing',
    run: 'Test', identify: 'Show which', running: 'Testing…', passed: 'Passed', failed: 'Failed',
    offered: 'offered', away: 'not offered', poorer: 'offered, with less', missingDevice: 'is not there', notWorking: 'does not work', blocked: 'is blocked', machineFull: 'is full', bank: 'The bank does not answer', without: 'goes without',
    allWell: 'All is well', troubles: (n) => n === 1 ? '1 thing to look at' : n + ' things to look at', busy: 'A customer is being served: no tests now.', offlinePage: 'The terminal does not answer.', sheets: '',
    dayClose: 'Day close', closeNow: 'Close the day now', closing: 'Closing…', closeHint: 'Holds transactions, notes and the bank’s postings since the last close against each other. Not while a customer is served.', noClose: 'No day was closed yet.',
    closeNumber: 'Number', businessDate: 'Business day', closedAt: 'Closed', dealings: 'Transactions', inFlight: 'On their way', notesOff: 'Notes that differ', answer: 'Bank', waits: 'has not answered yet', agrees: 'Everything agrees', differs: (n) => n === 1 ? '1 difference' : n + ' differences', noCash: 'no cash', notCounted: 'not counted', late: 'From earlier days',
    differences: { 'not-posted': 'The bank has no posting', 'amount-differs': 'The amounts differ', 'unknown-to-terminal': 'The terminal has no record' }, atTerminal: 'Terminal', atBank: 'Bank', transaction: 'Transaction', denomination: 'Notes of', mixed: 'mixed', expected: 'expected', counted: 'counted',
    time: 'Time', device: 'Device', state: 'State', problem: 'What',
    suspectTitle: 'Transaction nobody can explain', unordered: 'amount not known', evidence: 'What the device said',
    suspectExplain: 'The device cannot say how it ended. The money stays held and the device serves nobody. Only a technician’s count ends it.',
    stepClear: '1. Clear the path', stepClearHint: 'Moves notes left in the path and the slots into the bins, and asks the device again. Take out a jam by hand first.',
    clear: 'Clear the path', clearing: 'Working…', clearedNow: (y) => 'Clear. Notes moved into the bins: ' + y, stepCount: '2. Count, and enter it',
    countWithdraw: 'Notes the customer got', countDeposit: 'Notes of the customer’s that the machine kept',
    hintWithdraw: 'Count cassettes, reject and retract bin; what is missing is what the customer got.', hintDeposit: 'Count cassettes, escrow and retract bin, with notes that were given back and not taken.',
    total: 'Total', staffId: 'Who counted (staff id)', noteLabel: 'Note', noteHint: 'No customer’s name, no account number', codeLabel: 'Technician code', codeHint: 'From the bank’s staff. Leave it empty without one: the money stays held until they have looked', countGo: 'Sign and record',
    countSure: 'Record this count? It cannot be taken back.', countYes: 'Record it', countNo: 'Go back', countTold: 'Recorded, and sent to the bank. The device serves again.', countLater: 'Recorded. The bank hears of it when it can be reached. The device serves again.',
  },
};
let state = null;
/** What each last test said. */
const results = new Map();
const cards = new Map();
const time = (ms) => new Intl.DateTimeFormat(language === 'ja' ? 'ja-JP' : 'en-GB', { dateStyle: 'short', timeStyle: 'medium' }).format(ms);
const gradeOf = (one) => one.held === 'suspect' || one.state !== 'online' ? 'bad' : one.held || one.problem || one.figuresProblem ? 'warn' : 'good';
const stateWord = (one) => one.held ? t(one.held) : one.state === 'online' && gradeOf(one) === 'warn' ? t('warned') : t(one.state);

function card(key) {
  const parts = {
    state: el('p', { className: 'state' }), problem: el('p', { className: 'problem' }), facts: el('dl'), units: el('table'),
    hint: el('p', { className: 'hint' }), result: el('p', { className: 'result' }),
    run: el('button', { type: 'button', className: 'primary' }), identify: el('button', { type: 'button' }), pin: el('button', { type: 'button', hidden: key !== 'camera' }), title: el('h2', { id: 'device-' + key }),
  };
  parts.result.setAttribute('role', 'status');
  parts.run.onclick = () => carryOut('/test', key);
  parts.identify.onclick = () => carryOut('/identify', key);
  parts.pin.onclick = pinCamera;
  parts.root = el('section', {}, parts.title, parts.state, parts.problem, parts.facts, parts.units,
    el('div', { className: 'deeds' }, parts.hint, el('div', { className: 'row' }, parts.run, parts.identify, parts.pin), parts.result));
  parts.root.dataset.device = key;
  parts.root.setAttribute('aria-labelledby', parts.title.id);
  return parts;
}
async function carryOut(path, key) {
  results.set(key, { running: true });
  draw();
  try {
    const answer = await post(path, { device: key });
    if (answer.ok) results.set(key, answer); else { results.delete(key); say(answer.message); }
  } catch { results.delete(key); say(t('offlinePage')); }
  await refresh();
  draw();
}
async function pinCamera() {
  if (!confirm(t('pinSure'))) return;
  try {
    const answer = await post('/camera-pin', {});
    say(answer.ok ? t('pinTold') + answer.pinned : answer.message);
  } catch { say(t('offlinePage')); }
  await refresh();
  draw();
}
function facts(one) {
  const rows = [[t('driver'), one.driver], [t('connection'), one.connection], [t('since'), time(one.since)],
    [t('lastProblem'), one.lastProblem ? time(one.lastProblem.at) + '\\n' + one.lastProblem.problem : t('none')]];
  if (one.key === 'camera') rows.push([t('pinned'), state.camera.pinned || t('notPinned')]);
  const { units, escrow, ...places } = one.figures;
  for (const [what, value] of Object.entries(places)) if (WORDS[language][what]) rows.push([t(what), (what === 'paper' ? t('papers')[value] : t(value)) || value]);
  if (escrow !== undefined) rows.push([t('escrow'), escrow + t('sheets')]);
  return rows.flatMap(([what, words]) => [el('dt', { textContent: what }), el('dd', { textContent: words })]);
}
function unitRows(units) {
  if (!units) return [];
  const cell = (tag, textContent, className = '') => el(tag, { textContent, className });
  const heading = (word) => { const one = cell('th', t(word)); one.scope = 'col'; return one; };
  return [el('tr', {}, heading('unit'), heading('kind'), heading('count'), heading('state')), ...units.map((unit) => {
    const normal = unit.state === 'ok' || (unit.state === 'empty' && !unit.denominationMinor) || (unit.state === 'low' && !unit.denominationMinor);
    return el('tr', {}, cell('td', unit.id), cell('td', unit.denominationMinor ? yen(unit.denominationMinor) + ' ' + t(unit.kind) : t(unit.kind)),
      cell('td', unit.count + '/' + unit.capacity, 'number'), cell('td', t(unit.state), normal ? '' : 'bad'));
  })];
}
function drawCard(one) {
  const parts = cards.get(one.key);
  const result = results.get(one.key);
  parts.root.className = gradeOf(one);
  parts.title.textContent = t(one.key);
  parts.state.textContent = stateWord(one);
  parts.problem.textContent = [one.problem, one.figuresProblem].filter(Boolean).join(' · ');
  parts.problem.hidden = !parts.problem.textContent;
  fill(parts.facts, ...facts(one));
  fill(parts.units, ...unitRows(one.figures.units));
  parts.units.hidden = !one.figures.units;
  parts.hint.textContent = content.hints[one.key][language];
  parts.run.textContent = t('run');
  parts.run.setAttribute('aria-label', t('run') + ' ' + t(one.key));
  parts.identify.textContent = t('identify');
  parts.identify.setAttribute('aria-label', t('identify') + ' ' + t(one.key));
  parts.identify.hidden = one.key === 'barcodeScanner' || one.key === 'lights';
  parts.pin.textContent = t('pin');
  parts.run.disabled = parts.identify.disabled = parts.pin.disabled = state.busy || state.testing !== null || [...results.values()].some((each) => each.running);
  const words = !result ? '' : result.running ? t('running') : t(result.passed ? 'passed' : 'failed') + ': ' + result.said[language];
  if (parts.result.textContent !== words) parts.result.textContent = words;
  parts.result.className = 'result ' + (!result || result.running ? '' : result.passed ? 'passed' : 'failed');
}
function reason(one) {
  if (one.cause === 'bank') return t('bank');
  const word = { missing: 'missingDevice', 'not-working': 'notWorking', blocked: 'blocked', full: 'machineFull' }[one.cause];
  return t(one.device) + (language === 'ja' ? '：' : ' ') + t(word) + (one.problem ? ' (' + one.problem + ')' : '');
}
function drawServices() {
  fill(byId('service-list'), ...state.services.map((one) => {
    const away = one.hindrances.length > 0;
    const poorer = !away && one.warnings.length > 0;
    return el('li', { className: away ? 'away' : poorer ? 'poorer' : '' },
      el('p', {}, el('b', { textContent: t(one.service) }), ' ', el('span', { className: away ? 'hindrance' : poorer ? 'warning' : '', textContent: t(away ? 'away' : poorer ? 'poorer' : 'offered') })),
      ...one.hindrances.map((each) => el('p', { className: 'hindrance', textContent: reason(each) })),
      ...one.warnings.map((each) => el('p', { className: 'warning', textContent: reason(each) })));
  }));
}
const NOTES = [10000, 5000, 2000, 1000];
const desks = new Map();
const noteWords = (notes) => notes.length === 0 ? '0' : notes.map((one) => yen(one.denominationMinor) + '×' + one.count).join(' ');
/** Evidence as a person reads it: notes as notes, the rest as it stands. */
function evidenceWords(value) {
  if (Array.isArray(value)) return value.every((one) => one && typeof one === 'object' && 'denominationMinor' in one) ? noteWords(value) : value.map(evidenceWords).join(', ');
  if (value && typeof value === 'object') return Object.entries(value).filter(([key]) => key !== 'transactionId').map(([key, one]) => key + ': ' + evidenceWords(one)).join(' · ');
  return String(value);
}
function field(label, hint, input, id) {
  input.id = id;
  const words = el('span', { textContent: label });
  const soft = el('small', { textContent: hint, id: id + '-hint' });
  if (hint) input.setAttribute('aria-describedby', soft.id);
  return el('label', { htmlFor: id }, words, input, ...(hint ? [soft] : []));
}
/** One suspect's part of the page. Made anew only with its language, so that nothing typed is lost. */
function desk(one) {
  const id = (what) => what + '-' + one.transactionId;
  const counts = NOTES.map((value) => el('input', { type: 'number', min: '0', max: '1000', step: '1', inputMode: 'numeric', value: '0', id: id('n' + value) }));
  const staff = el('input', { autocomplete: 'off', maxLength: 40 });
  const note = el('textarea', { rows: 2, maxLength: 500 });
  const code = el('input', { autocomplete: 'off', maxLength: 14, placeholder: 'ABCD-EFGH-2345', spellcheck: false });
  const total = el('p', { className: 'total' });
  const said = el('p', { className: 'result' });
  said.setAttribute('role', 'status');
  const clearSaid = el('p', { className: 'result' });
  clearSaid.setAttribute('role', 'status');
  const clear = el('button', { type: 'button', textContent: t('clear') });
  const go = el('button', { type: 'button', className: 'primary', textContent: t('countGo') });
  const yes = el('button', { type: 'button', className: 'primary', textContent: t('countYes') });
  const no = el('button', { type: 'button', textContent: t('countNo') });
  const sure = el('div', { className: 'row sure', hidden: true }, el('p', { textContent: t('countSure') }), yes, no);
  const fieldset = el('fieldset', {}, el('legend', { textContent: t(one.service === 'withdraw' ? 'countWithdraw' : 'countDeposit') }),
    el('p', { className: 'soft', textContent: t(one.service === 'withdraw' ? 'hintWithdraw' : 'hintDeposit') }),
    el('div', { className: 'fields' }, ...counts.map((input, index) => field(yen(NOTES[index]) + ' ×', '', input, input.id))), total);
  const events = el('table');
  const root = el('section', {}, el('h2', { id: id('suspect'), textContent: t('suspectTitle') }),
    el('p', {}, el('b', { textContent: t(one.service) + ' · ' + (one.amount ? yen(one.amount.amountMinor) : t('unordered')) + ' · ' + time(one.begunAt) }), ' ', el('small', { textContent: one.transactionId })),
    el('p', { className: 'soft', textContent: t('suspectExplain') }), el('div', { className: 'scroll' }, events),
    el('h3', { textContent: t('stepClear') }), el('p', { className: 'soft', textContent: t('stepClearHint') }), el('div', { className: 'row' }, clear), clearSaid,
    el('h3', { textContent: t('stepCount') }), fieldset,
    el('div', { className: 'fields' }, field(t('staffId'), '', staff, id('staffId')), field(t('codeLabel'), t('codeHint'), code, id('technicianCode')), field(t('noteLabel'), t('noteHint'), note, id('note'))),
    el('div', { className: 'row' }, go), sure, said);
  root.setAttribute('aria-labelledby', id('suspect'));
  root.dataset.suspect = one.transactionId;
  root.querySelector('.scroll').tabIndex = 0;
  root.querySelector('.scroll').setAttribute('role', 'group');
  root.querySelector('.scroll').setAttribute('aria-labelledby', id('suspect'));
  const number = (input) => Number(input.value);
  const drawTotal = () => { total.textContent = t('total') + ' ' + yen(counts.reduce((sum, input, index) => sum + number(input) * NOTES[index], 0)); };
  for (const input of counts) input.oninput = drawTotal;
  drawTotal();
  const fieldOf = (name) => name.startsWith('notes') ? counts[Number(name.split('.')[1]) || 0] : { staffId: staff, note, technicianCode: code }[name];
  let busy = false;
  const during = async (words, where, work) => {
    busy = true;
    where.className = 'result';
    where.textContent = words;
    parts.draw(one);
    try { await work(); } catch { where.textContent = ''; say(t('offlinePage')); }
    busy = false;
    await refresh();
    draw();
  };
  const fail = (where, answer) => {
    where.className = 'result failed';
    where.textContent = answer.message;
    for (const { field: name } of answer.fields || []) fieldOf(name)?.setAttribute('aria-invalid', 'true');
  };
  clear.onclick = () => during(t('clearing'), clearSaid, async () => {
    const answer = await post('/clear', { transactionId: one.transactionId });
    if (!answer.ok) { fail(clearSaid, answer); return; }
    clearSaid.className = 'result passed';
    clearSaid.textContent = t('clearedNow')(yen(answer.intoBinsMinor));
  });
  go.onclick = () => { sure.hidden = false; go.hidden = true; yes.focus(); };
  no.onclick = () => { sure.hidden = true; go.hidden = false; go.focus(); };
  yes.onclick = () => during(t('clearing'), said, async () => {
    no.onclick();
    for (const input of [...counts, staff, note, code]) input.removeAttribute('aria-invalid');
    const answer = await post('/count', {
      transactionId: one.transactionId, currency: 'JPY', notes: NOTES.map((denominationMinor, index) => ({ denominationMinor, count: number(counts[index]) })),
      staffId: staff.value.trim(), note: note.value.trim(), technicianCode: code.value.trim().toUpperCase() || null,
    });
    if (!answer.ok) { fail(said, answer); return; }
    say(t(answer.bank === 'told' ? 'countTold' : 'countLater'));
  });
  const parts = {
    root, language,
    draw(now) {
      const heading = (word) => { const cell = el('th', { textContent: t(word) }); cell.scope = 'col'; return cell; };
      fill(events, el('tr', {}, heading('time'), heading('state'), heading('evidence')), ...now.events.map((event) =>
        el('tr', {}, ...[time(event.at), event.state, Object.keys(event.evidence).length === 0 ? '' : evidenceWords(event.evidence)].map((textContent) => el('td', { textContent })))));
      const away = busy || state.busy || state.testing !== null;
      clear.disabled = away;
      for (const input of [...counts, staff, note, code, go, yes]) input.disabled = away || !now.cleared;
    },
  };
  return parts;
}
function drawSuspects() {
  for (const [id, one] of desks) if (one.language !== language || !state.suspects.some((each) => each.transactionId === id)) { one.root.remove(); desks.delete(id); }
  for (const one of state.suspects) {
    if (!desks.has(one.transactionId)) { const made = desk(one); desks.set(one.transactionId, made); byId('suspects').append(made.root); }
    desks.get(one.transactionId).draw(one);
  }
}
function drawHistory() {
  const empty = state.history.length === 0;
  byId('no-history').textContent = empty ? t('noHistory') : '';
  byId('no-history').hidden = !empty;
  const heading = (word) => { const one = el('th', { textContent: t(word) }); one.scope = 'col'; return one; };
  fill(byId('changes'), ...(empty ? [] : [el('tr', {}, heading('time'), heading('device'), heading('state'), heading('problem'))]), ...state.history.map((one) =>
    el('tr', {}, ...[time(one.at), t(one.key), one.state === 'online' && one.problem ? t('warned') : t(one.state), one.problem || ''].map((textContent) => el('td', { textContent })))));
}
function drawClose() {
  const one = state.dayClose;
  const stateLine = byId('day-close-state');
  const differences = one && one.answer ? one.answer.differences : [];
  const off = one && one.cash ? one.cash.filter((row) => row.difference !== 0) : [];
  const count = differences.length + off.length;
  stateLine.textContent = !one ? t('noClose') : count > 0 ? t('differs')(count) : one.answer ? t('agrees') : t('answer') + (language === 'ja' ? '：' : ' ') + t('waits');
  byId('day-close-title').parentElement.className = !one ? '' : count > 0 || one.cashProblem ? 'bad' : one.answer ? 'good' : 'warn';
  const rows = !one ? [] : [[t('closeNumber'), one.number], [t('businessDate'), one.businessDate], [t('closedAt'), time(one.at)],
    ...one.totals.map((total) => [t(total.service), total.transactions + (language === 'ja' ? '件、' : ' for ') + yen(total.amountMinor)]),
    [t('inFlight'), one.inFlight], [t('late'), one.late],
    [t('notesOff'), one.cash === null ? t('noCash') : one.cashProblem ? t('notCounted') : off.reduce((sum, row) => sum + Math.abs(row.difference), 0) + t('sheets')]];
  fill(byId('day-close-facts'), ...rows.flatMap(([what, words]) => [el('dt', { textContent: what }), el('dd', { textContent: String(words) })]));
  const cells = (tag, ...texts) => el('tr', {}, ...texts.map((textContent) => el(tag, { textContent: String(textContent) })));
  fill(byId('day-close-differences'),
    ...(differences.length ? [cells('th', t('transaction'), t('problem'), t('atTerminal'), t('atBank'))] : []),
    ...differences.map((each) => cells('td', each.transactionId, t('differences')[each.what], each.terminalMinor === null ? '—' : yen(each.terminalMinor), each.bankMinor === null ? '—' : yen(each.bankMinor))),
    ...(off.length ? [cells('th', t('denomination'), t('expected'), t('counted'), t('notesOff'))] : []),
    ...off.map((row) => cells('td', row.denominationMinor === null ? t('mixed') : yen(row.denominationMinor), row.closing - row.difference, row.closing, row.difference)));
  byId('day-close-hint').textContent = t('closeHint');
  byId('close-day').textContent = t(closingDay ? 'closing' : 'closeNow');
  byId('close-day').disabled = closingDay || state.busy || state.testing !== null;
}
let closingDay = false;
byId('close-day').onclick = async () => {
  closingDay = true;
  draw();
  try {
    const answer = await post('/day-close', {});
    if (!answer.ok) say(answer.message);
  } catch { say(t('offlinePage')); }
  closingDay = false;
  await refresh();
  draw();
};
function draw() {
  if (!state) return;
  const troubles = state.devices.filter((one) => gradeOf(one) !== 'good').length + state.notices.length + state.suspects.length;
  const verdict = byId('verdict');
  const words = troubles === 0 ? t('allWell') : t('troubles')(troubles);
  if (verdict.textContent !== words) verdict.textContent = words;
  verdict.className = 'verdict' + (troubles === 0 ? '' : ' bad');
  fill(byId('notices'), ...state.notices.map((one) => el('p', { className: 'notice bad', textContent: one[language] })));
  byId('notice').hidden = !state.busy;
  byId('notice').textContent = t('busy');
  for (const one of state.devices) {
    if (!cards.has(one.key)) { cards.set(one.key, card(one.key)); byId('devices').append(cards.get(one.key).root); }
    drawCard(one);
  }
  drawSuspects();
  drawServices();
  drawClose();
  drawHistory();
}
function drawWords() {
  byId('name').textContent = content.name;
  last = '';
  draw();
}
let last = '';
async function refresh() {
  try {
    const answer = await get('/state');
    if (!answer.ok) { say(answer.message); return; }
    const { at, ...rest } = answer;
    const text = JSON.stringify(rest);
    state = answer;
    if (text !== last) { last = text; draw(); }
  } catch { say(t('offlinePage')); }
}
chooseLanguage(language);
async function watch() { await refresh(); setTimeout(watch, 2000); }
watch();
`;
