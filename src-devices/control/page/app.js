/** The control page: draws the state the server sends and sends deeds back. Elements are made once and changed after, so that the
 *  focus stays where it is while the state moves on. */

const token = new URLSearchParams(location.search).get('token') ?? '';
const $ = (id) => document.getElementById(id);
const authorised = { authorization: `Bearer ${token}` };
const withToken = (path) => `${path}?token=${encodeURIComponent(token)}`;

const words = await (await fetch('/page/words.json', { headers: authorised })).json();
let language = navigator.language.startsWith('ja') ? 'ja' : 'en';
let state = null;
let catalogue = null;
const bundle = new Map();
/** What staff loads into a cassette at a press. */
const LOAD = 100;

const has = (name) => name in words[language];
function t(name, values = {}) {
  const text = words[language][name] ?? name;
  return Object.entries(values).reduce((said, [key, value]) => said.replaceAll(`{${key}}`, value), text);
}
const money = (value) =>
  new Intl.NumberFormat(language === 'ja' ? 'ja-JP' : 'en-GB', {
    style: 'currency',
    currency: 'JPY',
    currencyDisplay: 'narrowSymbol',
  }).format(value);
const number = (value) => new Intl.NumberFormat(language === 'ja' ? 'ja-JP' : 'en-GB').format(value);

function el(tag, properties = {}, ...inside) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.dataset, dataset);
  made.append(...inside);
  return made;
}
function button(label, act, className = '') {
  const made = el('button', { type: 'button', textContent: label, className });
  made.addEventListener('click', act);
  return made;
}
/** One element per key, in order; those that stay keep their focus. */
function keyed(parent, items, keyOf, make, update) {
  const kept = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const element = kept.get(key) ?? make(item);
    element.dataset.key = key;
    update(element, item);
    kept.delete(key);
    return element;
  });
  for (const gone of kept.values()) gone.remove();
  wanted.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}
const hint = (id, text, kind = '') => {
  $(id).textContent = text;
  $(id).className = `hint ${kind}`;
};

/* Words */

function speak(next) {
  language = next;
  document.documentElement.lang = language;
  document.title = t('title');
  for (const each of document.querySelectorAll('[data-t]')) each.textContent = t(each.dataset.t);
  for (const each of document.querySelectorAll('[data-t-label]'))
    each.setAttribute('aria-label', t(each.dataset.tLabel));
  for (const each of document.querySelectorAll('[data-language]')) {
    each.setAttribute('aria-pressed', String(each.dataset.language === language));
  }
  drawKeypad();
  drawFaultForm();
  // Labels of kept elements are in the old language: make them anew.
  for (const id of ['bundle', 'units', 'armed', 'dialect', 'states', 'lights', 'places']) $(id).replaceChildren();
  if (state) draw();
}
for (const each of document.querySelectorAll('[data-language]')) {
  each.addEventListener('click', () => speak(each.dataset.language));
}

/* Deeds */

function say(message, bad = false) {
  const toast = $('toast');
  toast.classList.remove('said');
  toast.textContent = message;
  toast.classList.toggle('bad', bad);
  // Reading a measure restarts the animation.
  void toast.offsetWidth;
  toast.classList.add('said');
}
async function send(path, body = {}) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { ...authorised, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!answer.ok) say(answer.message, true);
    return answer.ok;
  } catch {
    say(t('lost'), true);
    return false;
  }
}
const on = (id, event, act) => $(id).addEventListener(event, act);
on('plug', 'click', () => send('/api/power', { on: !state.powered }));
on('take', 'click', () => send('/api/notes/take', {}));
on('take-some', 'click', () => send('/api/notes/take', { count: 1 }));
on('take-returned', 'click', () => send('/api/notes/take-returned', {}));
on('insert', 'click', async () => {
  const notes = state.cash.items.flatMap(({ item, value, level }) =>
    level !== null && bundle.get(item) > 0 ? [{ value, level, count: bundle.get(item) }] : [],
  );
  if (await send('/api/notes/insert', { notes, unrecognised: bundle.get('unrecognized') ?? 0 })) emptyBundle();
});
on('empty-bundle', 'click', () => emptyBundle());
for (const position of ['output', 'input']) {
  on(`foreign-${position}`, 'click', () => send('/api/foreign-item', { position, there: false }));
}
on('take-receipt', 'click', () => send('/api/receipt/take'));
on('load-paper', 'click', () =>
  state.printer.jammed ? send('/api/printer/clear-jam') : send('/api/paper', { receipts: 300 }),
);
on('scan', 'submit', (event) => {
  event.preventDefault();
  void send('/api/barcode', { symbology: $('scan-symbology').value, data: $('scan-data').value });
});
on('subject', 'click', () =>
  send('/api/biometric', { subject: state.biometric.subject === null ? 'subject-1' : null }),
);
on('dialect-standard', 'click', () => send('/api/dialect/all', { to: 'standard' }));
on('dialect-flipped', 'click', () => send('/api/dialect/all', { to: 'flipped' }));
on('fault-name', 'change', () => drawFaultFields());
on('fault', 'submit', (event) => {
  event.preventDefault();
  const order = { fault: $('fault-name').value };
  for (const field of $('fault-fields').querySelectorAll('[name]')) {
    if (field.value === '') continue;
    order[field.name] =
      field.dataset.type === 'number'
        ? Number(field.value)
        : field.dataset.type === 'boolean'
          ? field.value === 'true'
          : field.value;
  }
  void send('/api/faults', order);
});
function emptyBundle() {
  bundle.clear();
  if (state?.cash) drawInput(state.cash);
}

/* The customer's side */

const KEYPAD = [
  'one',
  'two',
  'three',
  'cancel',
  'four',
  'five',
  'six',
  'clear',
  'seven',
  'eight',
  'nine',
  'enter',
  'zero',
];
const FACES = { zero: 0, one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9 };

function drawKeypad() {
  const order = [
    'one',
    'two',
    'three',
    'cancel',
    'four',
    'five',
    'six',
    'clear',
    'seven',
    'eight',
    'nine',
    'enter',
    'backspace',
    'zero',
  ];
  keyed(
    $('keypad'),
    order,
    (key) => key,
    (key) => button('', () => send('/api/pin/keys', { keys: [key] }), key in FACES ? '' : 'function'),
    (element, key) => {
      element.textContent = key in FACES ? FACES[key] : t(`key_${key}`);
    },
  );
}
/** Keys of a keyboard work while the page has the focus and nothing else wants them. */
document.addEventListener('keydown', (event) => {
  if (!state?.pin?.entering || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
  const key = /^\d$/.test(event.key)
    ? KEYPAD.find((name) => FACES[name] === Number(event.key))
    : { Backspace: 'backspace', Escape: 'cancel' }[event.key];
  if (!key) return;
  event.preventDefault();
  void send('/api/pin/keys', { keys: [key] });
});

function drawPin({ entering, digits }) {
  hint(
    'pin-hint',
    entering === null
      ? t('pinIdle')
      : `${t(entering === 'pin' ? 'pinWaiting' : 'dataWaiting')} · ${t('digits', { n: digits })}`,
    entering === null ? '' : 'on',
  );
  $('dots').replaceChildren(...Array.from({ length: digits }, () => el('i')));
  for (const key of $('keypad').children) key.disabled = entering === null;
}

const itemName = ({ value, level }) =>
  value === 0 ? t('unrecognized') : level === 'fit' ? money(value) : `${money(value)} ${t('counterfeit')}`;
const noteOf = (item) =>
  el(
    'span',
    { className: 'note', dataset: { value: item.level === 'fit' || item.level === null ? item.value : 0 } },
    itemName(item),
    item.count === undefined ? '' : ` × ${number(item.count)}`,
  );
const notesOf = (items, otherwise) => (items.length > 0 ? items.map(noteOf) : [el('p', { textContent: otherwise })]);

function drawCash(cash) {
  const { output, returned } = cash;
  $('output').className =
    `slot ${output.shutter === 'open' ? 'open' : output.shutter.startsWith('jammed') ? 'stuck' : ''}`;
  $('output').replaceChildren(...notesOf(output.notes, t(`shutter_${output.shutter}`)));
  $('take').disabled = output.notes.length === 0;
  $('take-some').disabled = output.notes.length === 0;
  $('returned').className = `slot small ${returned.length > 0 ? 'open' : ''}`;
  $('returned').replaceChildren(...notesOf(returned, `${t('returnedNotes')}: ${t('nothing')}`));
  $('take-returned').disabled = returned.length === 0;
  for (const position of ['output', 'input']) $(`foreign-${position}`).hidden = !cash.foreign[position];
  $('jams').hidden = cash.jams.length === 0;
  $('jams').textContent = cash.jams.join(' · ');
  $('security').textContent = t(`security_${cash.security}`);
  $('security').className =
    `badge ${cash.security === 'enforced' ? '' : cash.security === 'notConfigured' ? 'bad' : 'warn'}`;
  drawInput(cash);
  drawUnits(cash.units);
  drawPlaces(cash.places, cash.problems);
}
function drawInput({ input, items }) {
  hint(
    'input-hint',
    input.accepting ? t('inputOpen') : input.shutter === 'closed' ? t('inputClosed') : t(`shutter_${input.shutter}`),
    input.accepting ? 'on' : '',
  );
  const change = (key, by) => {
    bundle.set(key, Math.min(200, Math.max(0, (bundle.get(key) ?? 0) + by)));
    drawInput(state.cash);
  };
  keyed(
    $('bundle'),
    items,
    ({ item }) => item,
    ({ item, ...what }) => {
      const fewer = button('−', () => change(item, -1));
      const more = button('+', () => change(item, 1));
      fewer.setAttribute('aria-label', `${itemName(what)} ${t('fewer')}`);
      more.setAttribute('aria-label', `${itemName(what)} ${t('more')}`);
      return el('div', {}, noteOf(what), fewer, el('output'), more);
    },
    (row, { item }) => {
      const count = bundle.get(item) ?? 0;
      row.querySelector('output').textContent = count;
      row.querySelector('button').disabled = count === 0;
    },
  );
  const chosen = [...bundle.values()].reduce((sum, count) => sum + count, 0);
  const worth = items.reduce((sum, { item, value }) => sum + value * (bundle.get(item) ?? 0), 0);
  $('insert').textContent = chosen > 0 ? `${t('insert')}（${money(worth)}）` : t('insert');
  $('insert').disabled = chosen === 0 || !input.accepting;
  $('empty-bundle').disabled = chosen === 0;
}

let shownReceipt = null;
function drawPrinter(printer) {
  const warn = printer.threshold !== 'full';
  hint(
    'paper',
    `${t('paperLeft', { n: number(printer.paper) })} · ${t(`paper_${printer.threshold}`)}`,
    warn ? 'warn' : '',
  );
  $('load-paper').textContent = t(printer.jammed ? 'clearJam' : 'loadPaper');
  $('take-receipt').disabled = printer.atExit === null;
  const [latest] = printer.receipts;
  const key = `${latest}/${printer.atExit}/${language}`;
  $('receipt').classList.toggle('taken', printer.atExit === null);
  if (key !== shownReceipt) {
    shownReceipt = key;
    $('receipt').replaceChildren(latest ? receiptPicture(latest) : el('p', { textContent: t('noReceipt') }));
  }
  keyed(
    $('receipts'),
    printer.receipts,
    (name) => name,
    (name) =>
      el(
        'li',
        {},
        el(
          'a',
          { href: withToken(`/api/receipts/${name}.png`), target: '_blank', rel: 'noopener' },
          receiptPicture(name),
        ),
      ),
    () => {},
  );
}
const receiptPicture = (name) =>
  el('img', {
    src: withToken(`/api/receipts/${name}.png`),
    alt: t('receiptNumber', { n: Number(name) }),
    loading: 'lazy',
  });

/* Inside */

function drawUnits(units) {
  keyed(
    $('units'),
    units,
    ({ id }) => id,
    ({ id }) => {
      const load = button(t('loadUnit', { n: LOAD }), () => {
        const { count, capacity } = state.cash.units.find((unit) => unit.id === id);
        void send('/api/units/load', { unit: id, count: Math.min(count + LOAD, capacity) });
      });
      load.className = 'load';
      const empty = button(t('emptyUnit'), () => send('/api/units/load', { unit: id, count: 0 }), 'empty');
      const place = button('', () => send(place.dataset.out ? '/api/units/insert' : '/api/units/remove', { unit: id }));
      place.className = 'place';
      return el(
        'div',
        { className: 'unit' },
        el('header', {}, el('b'), el('span', { className: 'badge' })),
        el('p', { className: 'count' }, el('span'), el('small', { textContent: ` ${t('notes')}` })),
        el('meter', { min: 0 }),
        el('p', { className: 'of' }),
        el('div', { className: 'row' }, load, empty, place),
      );
    },
    (card, unit) => {
      const out = unit.status === 'missing';
      const find = (selector) => card.querySelector(selector);
      card.classList.toggle('out', out);
      find('b').textContent = `${unit.name} · ${unit.value === null ? t(`kind_${unit.kind}`) : money(unit.value)}`;
      const trouble = unit.status !== 'ok' ? `status_${unit.status}` : `level_${unit.level}`;
      find('.badge').textContent = t(trouble);
      find('.badge').className =
        `badge ${trouble === 'level_ok' ? '' : ['level_low', 'level_high'].includes(trouble) ? 'warn' : 'bad'}`;
      find('.count span').textContent = number(unit.count);
      const meter = find('meter');
      Object.assign(meter, { max: unit.capacity, value: unit.count });
      meter.setAttribute('aria-label', unit.name);
      find('.of').textContent = `${t(`kind_${unit.kind}`)} · ${t('of', { n: number(unit.capacity) })}`;
      find('.place').textContent = t(out ? 'insertUnit' : 'removeUnit');
      find('.place').dataset.out = out ? 'yes' : '';
      find('.load').hidden = unit.value === null;
      find('.load').disabled = out;
      find('.empty').hidden = unit.value !== null;
      find('.empty').disabled = out || unit.count === 0;
    },
  );
}
function drawPlaces(places, problems) {
  keyed(
    $('places'),
    places,
    ({ place }) => place,
    ({ place }) => el('li', {}, el('span', { textContent: t(`place_${place}`) }), el('span')),
    (row, { count, worth }) => {
      row.classList.toggle('empty', count === 0);
      row.lastChild.textContent = count === 0 ? '—' : `${number(count)} ${t('notes')} · ${money(worth)}`;
    },
  );
  $('verdict').textContent = problems.length === 0 ? t('conserved') : problems.join(' · ');
  $('verdict').classList.toggle('bad', problems.length > 0);
}
function drawLights(lamps) {
  keyed(
    $('lights'),
    Object.entries(lamps),
    ([name]) => name,
    ([name]) =>
      el('li', {}, el('i', { ariaHidden: 'true' }), el('span', { textContent: t(`light_${name}`) }), el('small')),
    (row, [, { flashRate, color }]) => {
      const lamp = row.firstChild;
      if (flashRate === 'off') delete lamp.dataset.on;
      else lamp.dataset.on = flashRate;
      lamp.dataset.color = color;
      row.lastChild.textContent = t(`rate_${flashRate}`);
    },
  );
}
let shownPicture = -1;
function drawCamera({ pictures, last }) {
  $('pictures').textContent = t('pictures', { n: number(pictures) });
  if (pictures === shownPicture) return;
  shownPicture = pictures;
  const source = `${withToken('/api/camera/last.png')}&n=${pictures}`;
  $('picture').replaceChildren(...(last ? [el('img', { src: source, alt: t('camera') })] : []));
}

/* Trouble */

function drawFaultForm() {
  if (!catalogue) return;
  const select = $('fault-name');
  const chosen = select.value;
  select.replaceChildren(...catalogue.faults.map(({ name }) => el('option', { value: name, textContent: name })));
  if (chosen) select.value = chosen;
  drawFaultFields();
}
function drawFaultFields() {
  const kind = catalogue.faults.find(({ name }) => name === $('fault-name').value);
  if (!kind) return;
  $('fault-says').textContent = words[language].faultSays[kind.name] ?? kind.says;
  const { properties = {}, required = [] } = kind.parameters;
  const own = Object.entries(properties).map(([name, schema]) => faultField(name, schema, required.includes(name)));
  const when = { type: 'integer', minimum: 1, default: 1 };
  $('fault-fields').replaceChildren(...own, faultField('use', when, true), faultField('times', when, true));
}
function faultField(name, schema, required) {
  const id = `fault-field-${name}`;
  const type = { integer: 'number', number: 'number', boolean: 'boolean' }[schema.type] ?? 'text';
  const choices = schema.enum ?? (type === 'boolean' ? ['true', 'false'] : null);
  const input = choices
    ? el(
        'select',
        { id, name, dataset: { type } },
        ...choices.map((value) => el('option', { value, textContent: value })),
      )
    : el('input', {
        id,
        name,
        type: type === 'number' ? 'number' : 'text',
        required: required && schema.default === undefined,
        dataset: { type },
      });
  if (name === 'command') input.setAttribute('list', 'commands');
  if (!choices && type === 'number') input.min = String(schema.minimum ?? 0);
  if (schema.default !== undefined) input.value = String(schema.default);
  return el(
    'div',
    {},
    el('label', { htmlFor: id, textContent: has(`field_${name}`) ? t(`field_${name}`) : name }),
    input,
  );
}
function drawArmed(armed) {
  keyed(
    $('armed'),
    armed.length > 0 ? armed : [{ id: 'none' }],
    ({ id }) => id,
    ({ id }) =>
      id === 'none'
        ? el('li', { className: 'none', textContent: t('noneArmed') })
        : el(
            'li',
            {},
            el('span'),
            button(t('disarm'), () => send('/api/faults/disarm', { id })),
          ),
    (row, { id, fault, use, times, parameters }) => {
      if (id === 'none') return;
      const own = Object.entries(parameters).map(([name, value]) => `${name}: ${value}`);
      row.firstChild.textContent = [fault, ...own, t('nth', { use, times })].join(' · ');
    },
  );
}
function choice(id, values, labelOf, act) {
  const select = el('select', { id }, ...values.map((value) => el('option', { value, textContent: labelOf(value) })));
  select.addEventListener('change', () => act(select.value));
  return select;
}
function drawStates(services) {
  keyed(
    $('states'),
    services,
    ({ name }) => name,
    ({ name }) => {
      const id = `state-${name}`;
      const select = choice(
        id,
        catalogue.deviceStates,
        (value) => t(`state_${value}`),
        (value) => send('/api/device', { service: name, state: value }),
      );
      return el('li', {}, el('label', { htmlFor: id, textContent: name }), select);
    },
    (row, { device }) => {
      row.lastChild.value = device;
    },
  );
}
function drawDialect(dialect) {
  keyed(
    $('dialect'),
    catalogue.dialect,
    ({ name }) => name,
    ({ name, values }) => {
      const id = `dialect-${name}`;
      const read = (text) => values.find((value) => String(value) === text);
      const select = choice(
        id,
        values.map(String),
        (value) => value,
        (text) => send('/api/dialect', { [name]: read(text) }),
      );
      const says = el('small', { id: `${id}-says`, textContent: words[language].dialectSaysOf[name] ?? '' });
      select.setAttribute('aria-describedby', says.id);
      return el('li', {}, el('div', {}, el('label', { htmlFor: id, textContent: name }), says), select);
    },
    (row, { name, values }) => {
      row.lastChild.value = String(dialect[name]);
      row.classList.toggle('other', dialect[name] !== values[0]);
    },
  );
}

/* All of it */

function draw() {
  const { powered } = state;
  $('address').textContent = state.url;
  $('plug').textContent = t(powered ? 'unplug' : 'plugIn');
  $('plug').classList.toggle('off', !powered);
  for (const card of document.querySelectorAll('[data-needs]')) card.hidden = !state[card.dataset.needs];
  for (const section of document.querySelectorAll('main > section')) section.inert = !powered;
  keyed(
    $('services'),
    powered ? state.services : [{ name: t('unpluggedNow'), device: 'powerOff' }],
    ({ name }) => name,
    () => el('li'),
    (row, { name, device, connections }) => {
      row.className = device === 'online' ? '' : 'bad';
      row.textContent =
        connections === undefined ? name : `${name}${device === 'online' ? '' : `: ${t(`state_${device}`)}`}`;
    },
  );
  drawDialect(state.dialect);
  if (!powered) return;
  drawPin(state.pin);
  drawPrinter(state.printer);
  hint('scan-hint', t(state.barcode.reading ? 'reading' : 'notReading'), state.barcode.reading ? 'on' : '');
  const present = state.biometric.subject !== null;
  hint('subject-hint', t(present ? 'subjectPresent' : 'subjectAbsent'), present ? 'on' : '');
  $('subject').textContent = t(present ? 'removeFinger' : 'putFinger');
  drawLights(state.lights);
  drawCamera(state.camera);
  drawArmed(state.faults);
  drawStates(state.services);
  if (state.cash) drawCash(state.cash);
}

catalogue = await (await fetch('/api/catalogue', { headers: authorised })).json();
$('commands').replaceChildren(...catalogue.commands.map((value) => el('option', { value })));
speak(language);
const feed = new EventSource(withToken('/api/events'));
feed.addEventListener('message', (event) => {
  state = JSON.parse(event.data);
  $('lost').hidden = true;
  draw();
});
feed.addEventListener('error', () => {
  $('lost').hidden = false;
});
