/**
 * What the script of every page begins with: plain browser code in a string, so that a page needs no build and no other file.
 * A page's own script follows it, defines WORDS (per language) and `drawWords()`, and calls `chooseLanguage` once.
 */
export const baseScript = `
'use strict';
const content = JSON.parse(document.getElementById('content').textContent);
const token = new URLSearchParams(location.search).get('token');
const access = token ? { authorization: 'Bearer ' + token } : {};
const byId = (id) => document.getElementById(id);
let language = (navigator.language || 'ja').startsWith('ja') ? 'ja' : 'en';
const t = (word) => WORDS[language][word];
const yen = (amount) => new Intl.NumberFormat(language === 'ja' ? 'ja-JP' : 'en-GB', { style: 'currency', currency: 'JPY', currencyDisplay: 'narrowSymbol' }).format(amount);
const el = (tag, properties = {}, ...inside) => { const one = Object.assign(document.createElement(tag), properties); one.append(...inside); return one; };
const fill = (parent, ...inside) => parent && parent.replaceChildren(...inside);
let hiding;
function say(message) {
  const toast = byId('toast');
  toast.textContent = message;
  toast.classList.add('shown');
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove('shown'), 3500);
}
async function get(path) {
  const answer = await fetch(path, { headers: access });
  return answer.json();
}
async function post(path, body) {
  const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', ...access }, body: JSON.stringify(body || {}) });
  return answer.json();
}
function chooseLanguage(next) {
  language = next;
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll('[data-t]')) one.textContent = t(one.dataset.t);
  for (const one of ['ja', 'en']) byId('lang-' + one).setAttribute('aria-pressed', language === one);
  drawWords();
}
for (const one of ['ja', 'en']) byId('lang-' + one).onclick = () => chooseLanguage(one);
`;
