// kit.js: the pieces every view is made of: elements, texts, asking the server, dialogs.

import { commandText } from './command.js';

/* ---------- elements and texts ---------- */

export const DASH = '–';
export const GUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
export const byId = (id) => document.getElementById(id);
export const list = (v) => (Array.isArray(v) ? v : []);
export const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);
export const object = (v) => (isObject(v) ? v : {});
export const text = (v) => (v === null || v === undefined || v === '' ? DASH : String(v));
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const count = (n) => (Number.isFinite(n) ? n.toLocaleString('en-GB') : DASH);
export const whole = (guid) => new RegExp(`^${GUID.source}$`, 'i').test(guid);

/** The only way this page makes elements: data becomes text, never markup. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  const late = {};
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(key.slice(2), value);
    else if (key === 'value' || key === 'checked') late[key] = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...nodes(children));
  return Object.assign(node, late);
}

function nodes(children) {
  return [children].flat(Infinity)
    .filter((c) => c !== null && c !== undefined && c !== false)
    .map((c) => (c instanceof Node ? c : String(c)));
}

const SVG = 'http://www.w3.org/2000/svg';

/** As `h`, for drawings. */
export function svg(tag, props, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props ?? {})) node.setAttribute(key, value);
  node.append(...nodes(children));
  return node;
}

export const fill = (box, ...children) => box.replaceChildren(...nodes(children));
export const button = (label, onclick, props) => h('button', { type: 'button', onclick, ...props }, label);
export const chip = (word, kind = '') => h('span', { class: `chip ${kind}` }, word);

/** The button of an act. Where the connector may only be looked at it is there, and says why it does nothing. */
export function actor(label, onclick, props) {
  if (about.may !== 'look') return button(label, onclick, props);
  return button([label, h('span', { class: 'hidden' }, ` (${LOOK_ONLY})`)], null, { ...props, disabled: true, title: LOOK_ONLY });
}

export const LOOK_ONLY = 'not possible here: with your rights this page only looks; who may invoke the Admin function may act';
export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** Text in which `backticks` mark code. */
export function rich(value) {
  return text(value).split(/`([^`]+)`/).map((part, i) => (i % 2 ? h('code', null, part) : part));
}

/** By how much the connector's clock is ahead of this machine's, as its answers say. */
export const ahead = { ms: 0 };

export function ago(instant, now = Date.now() + ahead.ms) {
  const seconds = Math.round((now - Date.parse(instant)) / 1000);
  if (!Number.isFinite(seconds)) return DASH;
  const size = span(Math.abs(seconds));
  return seconds >= 0 ? `${size} ago` : `in ${size}`;
}

export function span(seconds) {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export function when(instant, show = ago) {
  return instant ? h('time', { datetime: instant, title: instant }, show(instant)) : DASH;
}

export const clock = (instant) => String(instant).slice(11, 19);
export const stamp = (instant) => String(instant).slice(0, 19).replace('T', ' ');

export function money(value, currency) {
  if (value === null || value === undefined || value === '') return DASH;
  const n = Number(value);
  const shown = Number.isFinite(n) ? n.toLocaleString('en-GB', { minimumFractionDigits: Number.isInteger(n) ? 0 : 2, maximumFractionDigits: 6 }) : value;
  return currency ? `${shown} ${currency}` : String(shown);
}

export function table(label, heads, rows) {
  return scroller(label, h('table', null,
    h('caption', { class: 'hidden' }, label),
    h('thead', null, h('tr', null, heads.map((head) => h('th', { scope: 'col' }, head)))),
    rows instanceof Node ? rows : h('tbody', null, rows)));
}

export function scroller(label, ...children) {
  return h('div', { class: 'scroll', role: 'region', 'aria-label': label, tabindex: '0' }, children);
}

let quietTimer = 0;
export function announce(message, kind = '') {
  const live = byId('live');
  live.className = `live shown ${kind}`;
  live.textContent = message;
  clearTimeout(quietTimer);
  quietTimer = setTimeout(() => { live.className = 'live'; live.textContent = ''; }, kind === 'fault' ? 15000 : 7000);
}

async function copy(value, what) {
  try {
    await navigator.clipboard.writeText(value);
    announce(`Copied: ${what}.`);
  } catch {
    announce('The browser did not allow copying. Select the text and copy it.', 'fault');
  }
}

export const copyButton = (value, what) => button('Copy', () => copy(value, what), { class: 'small', 'aria-label': `Copy ${what}` });

/* ---------- asking the server ---------- */

export const about = { mode: 'stack', name: DASH, crm: null, command: 'cosell', may: 'act' };
/** What outlives a view. `deals`: {state, rows, next, at}, what is loaded of the list. */
export const kept = { deals: null };
export let view = new AbortController();

/** Ends what the view before still waits for. */
export function newView() {
  view.abort();
  view = new AbortController();
}

export async function call(path, body, signal) {
  let answer;
  try {
    answer = await fetch(path, body === undefined ? { signal } : {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal,
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('The console does not answer. See whether it still runs in its terminal.');
  }
  const data = await answer.json().catch(() => null);
  if (answer.ok && data !== null) return data;
  if (answer.status === 401) throw new Error('This browser is not signed in. The printed address is good for one use: start the console again for a new one.');
  throw new Error(data?.error ?? `The console answered ${answer.status} without a reason.`);
}

export async function admin(command, signal) {
  const report = object(await call('api/admin', command, signal));
  return { ok: report.ok !== false, lines: list(report.lines), data: report.data };
}

/** As `admin`, for what is shown as it stands: an answer that is not ok is a failure, never an empty list. */
export async function read(command, signal) {
  const report = await admin(command, signal);
  if (report.ok) return report;
  const lines = report.lines.filter((line) => line?.level !== 'ok');
  const fault = lines.find((line) => line?.level === 'fault') ?? lines[0];
  throw Object.assign(new Error(fault?.text ?? 'The connector says that it failed, and not why.'), { lines });
}

/**
 * Follows what the server sees (`api/live`) until the view ends: news is sent when there is any, none while the page is not
 * looked at. `pause(true)` stops it.
 */
export function follow(of, show, fail) {
  const { signal } = view;
  let source = null;
  let paused = false;
  const close = () => { source?.close(); source = null; };
  const open = () => {
    source = new EventSource(`api/live?of=${of}`);
    source.onmessage = ({ data }) => {
      const told = object(JSON.parse(data));
      if (told.error) fail(new Error(told.error)); else show(told);
    };
    source.onerror = () => {
      fail(new Error('The console does not answer. See whether it still runs in its terminal.'));
      if (source?.readyState === EventSource.CLOSED) { close(); setTimeout(settle, 3000); }
    };
  };
  const settle = () => {
    const wanted = !paused && !document.hidden && !signal.aborted;
    if (wanted && !source) open(); else if (!wanted) close();
  };
  document.addEventListener('visibilitychange', settle, { signal });
  signal.addEventListener('abort', close);
  settle();
  return { pause(so) { paused = so; settle(); } };
}

/** The button that stops and goes on. */
export function pauseButton(pause) {
  let paused = false;
  const press = button('Pause', () => {
    paused = !paused;
    press.setAttribute('aria-pressed', String(paused));
    press.textContent = paused ? 'Go on' : 'Pause';
    pause(paused);
  }, { 'aria-pressed': 'false' });
  return press;
}

/** As `fill`; the focus stays where it is, and what was opened stays open. */
export function refill(box, ...children) {
  const reach = () => [...box.querySelectorAll('a, button, summary, input')];
  const at = reach().indexOf(document.activeElement);
  const open = [...box.querySelectorAll('details')].map((one) => one.open);
  fill(box, ...children);
  box.querySelectorAll('details').forEach((one, i) => { if (open[i] !== undefined) one.open = open[i]; });
  if (at >= 0) reach()[at]?.focus({ preventScroll: true });
}

/** Shows the answer of `run` in `box`, or why there is none, with a way to try again. */
export async function load(box, run, show) {
  const { signal } = view;
  const turn = Symbol('turn');
  const stale = () => signal.aborted || box.turn !== turn;
  box.turn = turn; // a slower, earlier answer must not overwrite a later one
  box.setAttribute('aria-busy', 'true');
  fill(box, h('p', { class: 'quiet loading' }, 'Loading…'));
  try {
    const answer = await run(signal);
    if (!stale()) fill(box, show(answer));
  } catch (error) {
    if (!stale()) fill(box, failure(error, () => load(box, run, show)));
  }
  if (!stale()) box.removeAttribute('aria-busy');
}

export function failure(error, again) {
  return h('div', { class: 'notice fault', role: 'group', 'aria-label': 'Failed' },
    error.lines?.length ? reportLines(error.lines) : h('p', null, chip('failed', 'fault'), ' ', error.message), again && button('Try again', again));
}

export function reportLines(lines, empty = 'Nothing to report.') {
  if (!lines.length) return h('p', { class: 'quiet' }, empty);
  return h('ul', { class: 'lines' }, lines.map((line) => h('li', null,
    chip(text(line?.level), levelKind(line?.level)),
    h('div', null, h('p', null, rich(line?.text)), line?.cure && h('p', { class: 'cure' }, 'Cure: ', rich(line.cure)), cureLinks(line?.cure)))));
}

const levelKind = (level) => ({ ok: 'good', warning: 'warn', fault: 'fault' }[level] ?? '');

/** What a cure names, ready to be done: a command as it stands there, else the view that does it. */
function cureLinks(cure) {
  const ways = [
    [/redrive/i, () => actor('Redrive…', redrive, { class: 'small' })],
    [/parked|retry|explain/i, () => h('a', { href: '#/parked' }, 'Go to what is parked')],
    [/doctor|selftest/i, () => h('a', { href: '#/setup' }, 'Go to set-up')],
    [/"map"|`map`/i, () => h('a', { href: '#/map' }, 'Go to the mapping')],
  ].filter(([sign]) => sign.test(cure ?? '')).map(([, make]) => make());
  const named = commandIn(cure);
  if (named) ways.push(actor(`${capital(named.command)}…`, () => cured(named), { class: 'small' }));
  return ways.length ? h('p', { class: 'row' }, ways) : null;
}

function commandIn(cure) {
  const found = /\{"command": *"(register|retry|provision|backfill)"[^{}]*\}/.exec(cure ?? '')?.[0];
  try { return found ? JSON.parse(found) : null; } catch { return null; }
}

function cured(command) {
  const says = {
    register: command.overwrite ? 'Partner Center tells this stack from now on, and whoever is registered now is told nothing any more.' : 'Partner Center is asked to tell this stack what changes.',
    provision: 'What the CRM lacks of our columns and tables is made.',
  }[command.command] ?? 'The connector does what the cure says.';
  confirmAct({ title: capital(command.command), label: `Confirm: ${command.command}`, says, command, danger: Boolean(command.overwrite) });
}

/* ---------- acts: command texts and dialogs ---------- */

export function asCommand(...commands) {
  const lines = commands.map((command) => commandText(about.command, command)).join('\n');
  const shown = lines.split('\n')[0].slice(0, 160);
  const label = commands.length > 1 ? `Copy as ${count(commands.length)} commands` : 'Copy as command';
  return h('p', { class: 'command' }, h('code', null, shown, shown.length < lines.length && '…'), button(label, () => copy(lines, label.slice(8)), { class: 'small' }));
}

/** A modal dialog; `refresh()` asks for a fresh view once it is closed. */
export function openDialog(title, ...children) {
  let stale = false;
  const body = h('div', { class: 'dialog-body' }, children);
  const foot = h('div', { class: 'row end' });
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, h('h2', { id: 'dialog-title' }, title), body, foot);
  const refresh = () => { stale = true; kept.deals = null; };
  dialog.addEventListener('close', () => { removeDialog(dialog); if (stale) window.dispatchEvent(new Event('hashchange')); });
  document.body.append(dialog);
  dialog.append(byId('live')); // what is outside of a modal dialog is inert and not announced
  dialog.showModal();
  return { dialog, body, foot, refresh, close: () => dialog.close() };
}

export function removeDialog(dialog) {
  if (dialog.contains(byId('live'))) document.body.append(byId('live'));
  dialog.remove();
}

/** Shows what an act does (and the preview of its deal), asks, runs it, shows the answer. */
export async function confirmAct({ title, says, command, label, danger, preview, detail }) {
  const previewBox = preview && h('div', { class: 'preview' });
  const { body, foot, refresh, close } = openDialog(title, h('p', null, says), detail, previewBox, asCommand(command));
  const confirm = button(label, run, { class: danger ? 'danger' : 'primary' });
  const cancel = button('Cancel', close);
  fill(foot, cancel, confirm);
  if (preview) {
    confirm.disabled = true;
    cancel.focus();
    await load(previewBox, (signal) => admin({ command: 'preview', ...preview }, signal), previewShown);
    confirm.disabled = false;
  }
  async function run() {
    const result = h('div');
    fill(foot, button('Close', close));
    body.append(result);
    foot.firstChild.focus();
    await load(result, () => admin(command), (report) => {
      refresh();
      announce(report.ok ? `Done: ${title}.` : `Not done: ${title}. See the lines.`, report.ok ? '' : 'fault');
      return [h('h3', null, report.ok ? 'Done' : 'Not done'), reportLines(report.lines, 'The connector said nothing more.')];
    });
  }
}

function previewShown({ ok, lines, data }) {
  const decisions = list(data);
  const writes = decisions.flatMap((d) => list(d?.writes));
  const trouble = lines.filter((line) => !ok || line?.level !== 'ok');
  const none = ok ? 'Nothing would be written now.' : 'What would be written is not known.';
  return [
    h('h3', null, writes.length ? 'This would write:' : none),
    writes.length > 0 && h('ul', null, writes.map((w) => h('li', null, rich(w?.what), jsonDisclosure(w?.data)))),
    decisions.length > 0 && h('ul', { class: 'quiet' }, decisions.map((d) => h('li', null, rich(d?.about), ': ', rich(d?.decision)))),
    trouble.length > 0 && reportLines(trouble),
  ];
}

export function jsonDisclosure(data) {
  if (data === null || data === undefined) return null;
  return h('details', null, h('summary', null, 'data'), h('pre', null, JSON.stringify(data, null, 2)));
}

export function redrive() {
  confirmAct({
    title: 'Redrive dead letters', label: 'Redrive', command: { command: 'redrive' },
    says: 'The messages in the dead-letter queues go back to their queues and are worked on again.',
  });
}

/* ---------- words ---------- */

export const crmName = (crm) => ({ dynamics365: 'Dynamics 365', salesforce: 'Salesforce' }[crm] ?? 'CRM');
export const sideName = (side) => ({ crm: 'CRM', partner_center: 'Partner Center' }[side] ?? text(side));
export const MARKS = { parked: 'parked', waiting: 'waiting', conflict: 'conflict', awaiting_microsoft: 'awaits Microsoft' };
export const dealHref = (id) => `#/deal/${String(id).split('/').map(encodeURIComponent).join('/')}`;
export const go = (hash) => { location.hash = hash; return true; };

/** Dynamics 365's own codes in words; an organisation's own codes stay beside them. */
export function crmStatus(status) {
  const codes = /^(\d+)\/([0-2])$/.exec(status ?? '');
  if (!codes) return text(status);
  const reason = { 1: 'in progress', 2: 'on hold', 3: '', 4: 'canceled', 5: 'out-sold' }[codes[1]] ?? `code ${codes[1]}`;
  return h('span', { title: `status ${codes[1]}, state ${codes[2]}` }, ['Open', 'Won', 'Lost'][codes[2]], reason && `, ${reason}`);
}

export function stateChips(state, marks) {
  const kind = { linked: 'good', stopped: 'fault', detached: 'warn', creating: 'info' }[state] ?? '';
  return h('span', { class: 'chips' }, chip(text(state), kind), marks.map((m) => chip(MARKS[m] ?? m, m === 'parked' || m === 'conflict' ? 'warn' : 'info')));
}

export const title = (name) => { document.title = `${name} · ${about.name} · Co-sell console`; };

export function heading(name, ...buttons) {
  return h('div', { class: 'row between head' }, h('h1', { tabindex: '-1' }, name), h('div', { class: 'row' }, buttons));
}
