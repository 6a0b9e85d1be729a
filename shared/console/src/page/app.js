// app.js: the operator's page of the co-sell connector, one section per view.

/* ---------- elements and texts ---------- */

const DASH = '–';
const GUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
const byId = (id) => document.getElementById(id);
const list = (v) => (Array.isArray(v) ? v : []);
const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);
const object = (v) => (isObject(v) ? v : {});
const text = (v) => (v === null || v === undefined || v === '' ? DASH : String(v));
const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
const count = (n) => (Number.isFinite(n) ? n.toLocaleString('en-GB') : DASH);
const whole = (guid) => new RegExp(`^${GUID.source}$`, 'i').test(guid);

/** The only way this page makes elements: data becomes text, never markup. */
function h(tag, props, ...children) {
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

const fill = (box, ...children) => box.replaceChildren(...nodes(children));
const button = (label, onclick, props) => h('button', { type: 'button', onclick, ...props }, label);
const chip = (word, kind = '') => h('span', { class: `chip ${kind}` }, word);

/** Text in which `backticks` mark code. */
function rich(value) {
  return text(value).split(/`([^`]+)`/).map((part, i) => (i % 2 ? h('code', null, part) : part));
}

function ago(instant, now = Date.now()) {
  const seconds = Math.round((now - Date.parse(instant)) / 1000);
  if (!Number.isFinite(seconds)) return DASH;
  const size = span(Math.abs(seconds));
  return seconds >= 0 ? `${size} ago` : `in ${size}`;
}

function span(seconds) {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function when(instant, show = ago) {
  return instant ? h('time', { datetime: instant, title: instant }, show(instant)) : DASH;
}

const clock = (instant) => String(instant).slice(11, 19);
const stamp = (instant) => String(instant).slice(0, 19).replace('T', ' ');

function money(value, currency) {
  if (value === null || value === undefined || value === '') return DASH;
  const n = Number(value);
  const shown = Number.isFinite(n) ? n.toLocaleString('en-GB', { minimumFractionDigits: Number.isInteger(n) ? 0 : 2, maximumFractionDigits: 6 }) : value;
  return currency ? `${shown} ${currency}` : String(shown);
}

function table(label, heads, rows) {
  return scroller(label, h('table', null,
    h('caption', { class: 'hidden' }, label),
    h('thead', null, h('tr', null, heads.map((head) => h('th', { scope: 'col' }, head)))),
    rows instanceof Node ? rows : h('tbody', null, rows)));
}

function scroller(label, ...children) {
  return h('div', { class: 'scroll', role: 'region', 'aria-label': label, tabindex: '0' }, children);
}

let quietTimer = 0;
function announce(message, kind = '') {
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

const copyButton = (value, what) => button('Copy', () => copy(value, what), { class: 'small', 'aria-label': `Copy ${what}` });

/* ---------- asking the server ---------- */

let about = { mode: 'stack', name: DASH, crm: null, command: 'cosell' };
let view = new AbortController();

async function call(path, body, signal) {
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
  if (answer.status === 401) throw new Error('The key of this page is used up. Open the address that was printed again.');
  throw new Error(data?.error ?? `The console answered ${answer.status} without a reason.`);
}

async function admin(command, signal) {
  const report = object(await call('/api/admin', command, signal));
  return { ok: report.ok !== false, lines: list(report.lines), data: report.data };
}

/** Shows the answer of `run` in `box`, or why there is none, with a way to try again. */
async function load(box, run, show) {
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

function failure(error, again) {
  return h('div', { class: 'notice fault', role: 'group', 'aria-label': 'Failed' },
    h('p', null, chip('failed', 'fault'), ' ', error.message), again && button('Try again', again));
}

function reportLines(lines, empty = 'Nothing to report.') {
  if (!lines.length) return h('p', { class: 'quiet' }, empty);
  return h('ul', { class: 'lines' }, lines.map((line) => h('li', null,
    chip(text(line?.level), levelKind(line?.level)),
    h('div', null, h('p', null, rich(line?.text)), line?.cure && h('p', { class: 'cure' }, 'Cure: ', rich(line.cure)), cureLinks(line?.cure)))));
}

const levelKind = (level) => ({ ok: 'good', warning: 'warn', fault: 'fault' }[level] ?? '');

function cureLinks(cure) {
  const ways = [
    [/redrive/i, () => button('Redrive…', redrive, { class: 'small' })],
    [/parked|retry/i, () => h('a', { href: '#/parked' }, 'Go to what is set aside')],
    [/doctor|selftest/i, () => h('a', { href: '#/setup' }, 'Go to set-up')],
    [/\bmap\b/i, () => h('a', { href: '#/map' }, 'Go to the mapping')],
  ].filter(([sign]) => sign.test(cure ?? ''));
  return ways.length ? h('p', { class: 'row' }, ways.map(([, make]) => make())) : null;
}

/* ---------- acts: command texts and dialogs ---------- */

const POSITIONAL = new Set(['explain', 'look', 'preview', 'relink', 'disconnect']);

/** As `cosell` takes it; a test of the command line holds these forms. */
function commandText({ command, action, sides, ...rest }) {
  const words = [about.command, command, action].filter(Boolean);
  if (command === 'map' && rest.map !== undefined) return `${words.join(' ')} - <<'TOML'\n${rest.map}\nTOML`;
  if (command === 'map' && rest.version) return [...words, rest.version].join(' ');
  if (POSITIONAL.has(command)) {
    words.push(shell(rest.referral ?? rest.record));
    delete rest.referral;
    delete rest.record;
  }
  for (const [name, value] of Object.entries(rest)) words.push(`--${name}`, shell(value));
  return words.join(' ');
}

function shell(value) {
  const word = value === true ? 'yes' : value === false ? 'no' : String(value);
  return /^[\w./:@+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function asCommand(...commands) {
  const lines = commands.map(commandText).join('\n');
  const shown = lines.split('\n')[0].slice(0, 160);
  const label = commands.length > 1 ? `Copy as ${count(commands.length)} commands` : 'Copy as command';
  return h('p', { class: 'command' }, h('code', null, shown, shown.length < lines.length && '…'), button(label, () => copy(lines, label.slice(8)), { class: 'small' }));
}

/** A modal dialog; `refresh()` asks for a fresh view once it is closed. */
function openDialog(title, ...children) {
  let stale = false;
  const body = h('div', { class: 'dialog-body' }, children);
  const foot = h('div', { class: 'row end' });
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, h('h2', { id: 'dialog-title' }, title), body, foot);
  const refresh = () => { stale = true; dealStore = null; };
  dialog.addEventListener('close', () => { removeDialog(dialog); if (stale) route(); });
  document.body.append(dialog);
  dialog.append(byId('live')); // what is outside of a modal dialog is inert and not announced
  dialog.showModal();
  return { dialog, body, foot, refresh, close: () => dialog.close() };
}

function removeDialog(dialog) {
  if (dialog.contains(byId('live'))) document.body.append(byId('live'));
  dialog.remove();
}

/** Shows what an act does (and the preview of its deal), asks, runs it, shows the answer. */
async function confirmAct({ title, says, command, label, danger, preview, detail }) {
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
  return [
    h('h3', null, writes.length ? 'This would write:' : 'Nothing would be written now.'),
    writes.length > 0 && h('ul', null, writes.map((w) => h('li', null, rich(w?.what), jsonDisclosure(w?.data)))),
    decisions.length > 0 && h('ul', { class: 'quiet' }, decisions.map((d) => h('li', null, rich(d?.about), ': ', rich(d?.decision)))),
    trouble.length > 0 && reportLines(trouble),
  ];
}

function jsonDisclosure(data) {
  if (data === null || data === undefined) return null;
  return h('details', null, h('summary', null, 'data'), h('pre', null, JSON.stringify(data, null, 2)));
}

function redrive() {
  confirmAct({
    title: 'Redrive dead letters', label: 'Redrive', command: { command: 'redrive' },
    says: 'The messages in the dead-letter queues go back to their queues and are worked on again.',
  });
}

/* ---------- overview ---------- */

function overviewView(main) {
  const box = h('div');
  const read = () => load(box, (signal) => admin({ command: 'overview' }, signal), overviewShown);
  main.append(heading('Overview', button('Read again', read)), box);
  read();
}

function overviewShown({ ok, lines, data }) {
  const o = object(data);
  const look = lines.filter((line) => line?.level !== 'ok');
  if (!isObject(data)) return [h('p', { class: 'notice' }, 'The connector gave no overview.'), reportLines(look)];
  const calm = ok && !look.length;
  return [
    h('p', { class: `sentence ${calm ? 'good' : 'warn'}` }, text(o.sentence ?? (calm ? null : 'Somebody should look.'))),
    h('p', { class: 'quiet' }, 'As of ', when(o.now, stamp), o.now ? ' UTC' : '', ` · ${crmName(o.crm ?? about.crm)}`),
    dealTiles(object(o.deals)),
    h('div', { class: 'tiles' },
      tile('Messages waiting', o.waiting),
      tile('Set aside', o.parked, '#/parked', o.parked > 0 && 'warn'),
      tile('Dead letters', o.dead, null, o.dead > 0 && 'fault', o.dead > 0 && button('Redrive…', redrive, { class: 'small' }))),
    h('div', { class: 'two' },
      h('section', null, h('h2', null, 'Read from the systems'), partsShown(list(o.parts))),
      h('section', null, h('h2', null, 'Holds'), holdsShown(list(o.holds)))),
    h('section', null, h('h2', null, 'What should be looked at'), reportLines(look, 'Nothing.')),
    o.map && h('p', { class: 'quiet' }, 'Map: ', h('code', { title: o.map }, String(o.map).slice(0, 12)), ' ', h('a', { href: '#/map' }, 'mapping')),
  ];
}

function dealTiles(deals) {
  const states = Object.entries(object(deals.states));
  const label = deals.all === false ? 'Deals counted so far' : 'Deals';
  return h('div', { class: 'tiles' }, tile(label, deals.count, '#/deals'),
    states.map(([state, n]) => tile(state, n, `#/deals?state=${encodeURIComponent(state)}`, state === 'stopped' && n > 0 && 'warn')));
}

function tile(label, n, href, kind, extra) {
  const body = [h('span', { class: 'number' }, count(n)), h('span', null, label)];
  return h('div', { class: `tile ${kind || ''}` }, href ? h('a', { href }, body) : h('div', null, body), extra);
}

function partsShown(parts) {
  if (!parts.length) return h('p', { class: 'quiet' }, 'Nothing was read yet.');
  return table('How long ago each part was read', ['Part', 'Read', 'Seen until'], parts.map((p) => h('tr', null,
    h('th', { scope: 'row' }, text(p?.part)),
    h('td', null, Number.isFinite(p?.seconds_ago) ? `${span(p.seconds_ago)} ago` : DASH),
    h('td', null, when(p?.seen_until, stamp)))));
}

function holdsShown(holds) {
  if (!holds.length) return h('p', { class: 'quiet' }, 'None. Both systems are being called.');
  return h('ul', { class: 'lines' }, holds.map((hold) => h('li', null, chip('on hold', 'warn'),
    h('div', null, h('p', null, `${sideName(hold?.system)}, until `, when(hold?.until, stamp), ` (${ago(hold?.until)})`), h('p', { class: 'quiet' }, rich(hold?.reason))))));
}

const crmName = (crm) => ({ dynamics365: 'Dynamics 365', salesforce: 'Salesforce' }[crm] ?? 'CRM');
const sideName = (side) => ({ crm: 'CRM', partner_center: 'Partner Center' }[side] ?? text(side));

/* ---------- deals ---------- */

const STATES = ['creating', 'linked', 'detached', 'closed', 'stopped'];
const MARKS = { parked: 'set aside', waiting: 'waiting', conflict: 'conflict', awaiting_microsoft: 'awaits Microsoft' };
const STEP = 200;
const FRESH = 5000;
const COLUMNS = [
  ['name', 'Name', (d) => d.name ?? d.referral],
  ['customer', 'Customer', (d) => d.customer],
  ['value', 'Value', (d) => (d.value === null || d.value === undefined ? null : Number(d.value))],
  ['closing_date', 'Close date', (d) => d.closing_date],
  ['partner_center', 'Partner Center', (d) => d.partner_center],
  ['crm', 'CRM', (d) => d.crm],
  ['state', 'State and marks', (d) => `${d.state} ${list(d.marks).join(' ')}`],
  ['changed', 'Changed', (d) => d.changed],
];
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
const haystacks = new WeakMap();
let dealStore = null; // {state, rows, next, at}: what is loaded outlives a look at one deal

function dealsView(main, _path, params) {
  const filter = { state: params.get('state') ?? '', text: params.get('text') ?? '', mark: params.get('mark') ?? '', sort: params.get('sort') ?? 'changed', down: (params.get('order') ?? 'down') === 'down', shown: STEP };
  const parts = { box: h('div'), body: h('tbody'), sum: h('p', { class: 'quiet grow' }), more: h('div', { class: 'row' }), heads: new Map() };
  const show = () => showDeals(filter, parts, grow);
  const grow = async (all) => {
    const { signal } = view;
    const store = dealStore;
    const stale = () => signal.aborted || store !== dealStore;
    try {
      do {
        fill(parts.more, h('p', { class: 'quiet' }, `Loading… ${count(store.rows.length)} so far.`));
        await moreDeals(store, signal);
      } while (all && store.next && !stale());
      if (stale()) return;
      show();
      announce(`${plural(store.rows.length, 'deal')} loaded.`);
    } catch (error) {
      if (!stale()) fill(parts.more, failure(error, () => grow(all)));
    }
  };
  const read = () => load(parts.box, (signal) => firstDeals(filter.state, signal), (store) => {
    dealStore = store;
    const shownTable = dealsTable(filter, parts, show);
    show();
    return [store.trouble?.length > 0 && reportLines(store.trouble), shownTable, parts.more];
  });
  main.append(heading('Deals', button('Export CSV', () => exportDeals(matching(filter))), button('Read again', () => { dealStore = null; read(); })),
    dealsToolbar(filter, show, read), parts.sum, parts.box);
  read();
}

async function firstDeals(state, signal) {
  if (dealStore && dealStore.state === state && Date.now() - dealStore.at < FRESH) return dealStore;
  dealStore = null;
  const store = { state, rows: [], next: null, at: Date.now() };
  await moreDeals(store, signal);
  return store;
}

async function moreDeals(store, signal) {
  const report = await admin({ command: 'deals', ...(store.state && { state: store.state }), limit: 1000, ...(store.next && { cursor: store.next }) }, signal);
  const page = object(report.data);
  for (const deal of list(page.deals)) store.rows.push(object(deal));
  store.next = page.next || null;
  store.trouble = report.lines.filter((line) => line?.level !== 'ok');
}

function dealsToolbar(filter, show, read) {
  const again = () => { filter.shown = STEP; rememberFilter(filter); show(); };
  let timer = 0;
  const search = h('input', {
    id: 'deal-search', type: 'search', value: filter.text, autocomplete: 'off', spellcheck: 'false', placeholder: 'name, customer, id or address',
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => { filter.text = search.value.trim(); if (!jumpToDeal(filter.text)) again(); }, 120); },
  });
  const state = h('select', { id: 'deal-state', value: filter.state, onchange: () => { filter.state = state.value; rememberFilter(filter); read(); } },
    h('option', { value: '' }, 'all'), [...new Set([...STATES, filter.state].filter(Boolean))].map((s) => h('option', { value: s }, s)));
  const marks = Object.entries(MARKS).map(([mark, word]) => button(word, (event) => {
    filter.mark = filter.mark === mark ? '' : mark;
    for (const other of marks) other.setAttribute('aria-pressed', String(other === event.currentTarget && filter.mark !== ''));
    again();
  }, { class: 'toggle', 'aria-pressed': String(filter.mark === mark) }));
  return h('div', { class: 'toolbar' },
    h('div', { class: 'field grow' }, h('label', { for: 'deal-search' }, 'Search, or paste a GUID or an address'), search),
    h('div', { class: 'field' }, h('label', { for: 'deal-state' }, 'State'), state),
    h('div', { class: 'field', role: 'group', 'aria-label': 'Marks' }, h('span', { class: 'label' }, 'Marks'), h('div', { class: 'row' }, marks)));
}

function rememberFilter(filter) {
  const query = new URLSearchParams();
  for (const key of ['state', 'text', 'mark']) if (filter[key]) query.set(key, filter[key]);
  if (filter.sort !== 'changed' || !filter.down) { query.set('sort', filter.sort); query.set('order', filter.down ? 'down' : 'up'); }
  history.replaceState(null, '', `#/deals${String(query) && `?${query}`}`);
}

/** A pasted GUID, or an address of Partner Center, Dynamics 365 or Salesforce, leads to its deal. */
function jumpToDeal(pasted) {
  const salesforce = /\/(Opportunity|Lead)\/(\w{15,18})\b/i.exec(pasted);
  if (salesforce) return go(`#/deal/${salesforce[1].toLowerCase()}/${salesforce[2]}`);
  const guids = (pasted.match(GUID) ?? []).map((g) => g.toLowerCase());
  if (!guids.length) return false;
  const known = list(dealStore?.rows).find((d) => guids.some((g) => haystack(d).includes(g)));
  if (known?.referral) return go(dealHref(known.referral));
  const etn = /\betn=(opportunity|lead)\b/i.exec(pasted);
  const own = /[?&]id=(?:%7b|\{)?([0-9a-f-]{36})/i.exec(pasted)?.[1].toLowerCase();
  return go(etn ? `#/deal/${etn[1].toLowerCase()}/${own ?? guids.at(-1)}` : dealHref(own ?? guids[0]));
}

const dealHref = (id) => `#/deal/${String(id).split('/').map(encodeURIComponent).join('/')}`;
const go = (hash) => { location.hash = hash; return true; };

function haystack(deal) {
  if (!haystacks.has(deal)) {
    haystacks.set(deal, [deal.name, deal.customer, deal.referral, deal.record, deal.microsoft, deal.partner_center, deal.crm, deal.value, deal.currency, deal.closing_date]
      .filter(Boolean).join('\n').toLowerCase());
  }
  return haystacks.get(deal);
}

function matching(filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = list(dealStore?.rows).filter((d) => (!filter.mark || list(d.marks).includes(filter.mark)) && words.every((w) => haystack(d).includes(w)));
  const key = (COLUMNS.find(([name]) => name === filter.sort) ?? COLUMNS.at(-1))[2];
  return rows.sort((a, b) => compare(key(a), key(b), filter.down));
}

function compare(a, b, down) {
  const [noA, noB] = [a ?? '', b ?? ''].map((v) => v === '');
  if (noA || noB) return noA - noB;
  const order = typeof a === 'number' ? a - b : collator.compare(a, b);
  return down ? -order : order;
}

function dealsTable(filter, parts, show) {
  const heads = COLUMNS.map(([key, label]) => {
    const head = h('th', { scope: 'col', class: key === 'value' && 'num' }, button(label, () => {
      filter.down = filter.sort === key ? !filter.down : ['value', 'changed'].includes(key);
      filter.sort = key;
      rememberFilter(filter);
      show();
    }, { class: 'sort' }));
    parts.heads.set(key, head);
    return head;
  });
  return scroller('Deals', h('table', { class: 'deals' }, h('caption', { class: 'hidden' }, 'Deals'), h('thead', null, h('tr', null, heads)), parts.body));
}

function showDeals(filter, parts, grow) {
  if (!dealStore) return;
  const rows = matching(filter);
  for (const [key, head] of parts.heads) head.setAttribute('aria-sort', key !== filter.sort ? 'none' : filter.down ? 'descending' : 'ascending');
  fill(parts.body, rows.length ? rows.slice(0, filter.shown).map(dealRow)
    : h('tr', null, h('td', { colspan: COLUMNS.length, class: 'quiet' }, dealStore.rows.length ? 'No loaded deal matches.' : filter.state ? 'There is no deal in this state.' : 'There is no deal yet.')));
  fill(parts.sum, `${count(rows.length)} of ${plural(dealStore.rows.length, 'loaded deal')} match`,
    rows.length > filter.shown && `, ${count(filter.shown)} shown`, dealStore.next ? '. More deals can be loaded.' : '.', ` Read ${ago(dealStore.at && new Date(dealStore.at).toISOString())}.`);
  fill(parts.more,
    rows.length > filter.shown && button(`Show ${STEP} more`, () => { filter.shown += STEP; showDeals(filter, parts, grow); }),
    dealStore.next && [button('Load 1,000 more', () => grow(false)), button('Load all', () => grow(true))]);
}

function dealRow(d) {
  return h('tr', null,
    h('th', { scope: 'row', class: 'name' }, h('a', { href: dealHref(d.referral ?? d.record ?? '') }, text(d.name ?? d.referral))),
    h('td', null, text(d.customer)),
    h('td', { class: 'num' }, money(d.value, d.currency)),
    h('td', { class: 'tight' }, text(d.closing_date)),
    h('td', null, text(d.partner_center)),
    h('td', null, text(d.crm)),
    h('td', null, stateChips(d.state, list(d.marks))),
    h('td', { class: 'tight' }, when(d.changed)));
}

function stateChips(state, marks) {
  const kind = { linked: 'good', stopped: 'fault', detached: 'warn', creating: 'info' }[state] ?? '';
  return h('span', { class: 'chips' }, chip(text(state), kind), marks.map((m) => chip(MARKS[m] ?? m, m === 'parked' || m === 'conflict' ? 'warn' : 'info')));
}

function exportDeals(rows) {
  const keys = ['referral', 'record', 'microsoft', 'state', 'marks', 'name', 'customer', 'value', 'currency', 'closing_date', 'partner_center', 'crm', 'changed'];
  const cell = (value) => {
    const plain = Array.isArray(value) ? value.join(' ') : String(value ?? '');
    return `"${(/^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain).replaceAll('"', '""')}"`;
  };
  const csv = [keys, ...rows.map((d) => keys.map((k) => d[k]))].map((row) => row.map(cell).join(',')).join('\r\n');
  const href = URL.createObjectURL(new Blob(['\ufeff', csv, '\r\n'], { type: 'text/csv' }));
  h('a', { href, download: 'deals.csv' }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
  announce(`${plural(rows.length, 'deal')} exported.`);
}

/* ---------- one deal ---------- */

function dealView(main, path) {
  const id = path.join('/');
  const target = id.includes('/') ? { record: id } : { referral: id };
  const command = { command: 'explain', ...target, sides: 'yes' };
  const box = h('div');
  const known = list(dealStore?.rows).find((d) => d.referral === id || d.record === id);
  const head = heading(known?.name ?? 'Deal', button('Read again', () => read()));
  const read = () => load(box, (signal) => admin(command, signal), (report) => dealShown(report, target, known, head, command));
  main.append(head, box);
  read();
}

function dealShown({ lines, data }, target, known, head, command) {
  const d = object(data);
  const link = object(d.link);
  const fields = list(object(d.sides).fields).map(object);
  const name = known?.name ?? dealName(fields);
  if (name) { head.querySelector('h1').textContent = name; title(name); }
  const found = Boolean(d.link) || fields.length > 0 || list(d.timeline).length > 0;
  const trouble = lines.filter((line) => line?.level !== 'ok');
  const ids = { referral: link.referral ?? target.referral, record: link.record ?? target.record };
  return [
    d.link && dealIds(link, known, fields),
    trouble.length > 0 && reportLines(trouble),
    !found && notKept(target),
    d.link && dealActs(ids, Object.keys(object(link.parked))),
    fields.length > 0 && fieldsShown(fields, object(object(d.sides).shown)),
    found && h('section', null, h('h2', null, 'Decisions'), timelineShown(list(d.timeline))),
    asCommand(command),
  ];
}

function dealName(fields) {
  const field = fields.find((f) => ['name', 'deal_name', 'title', 'topic'].includes(f.field));
  const value = object(field?.now).partner_center ?? object(field?.now).crm ?? object(field?.agreed).partner_center;
  return typeof value === 'string' && !isDigest(value) ? value : null;
}

function notKept(target) {
  const id = target.referral;
  return h('div', { class: 'notice' }, h('p', null, 'The connector keeps no deal under this id.'),
    id && h('p', null, 'If it is the id of a CRM record: ', ['opportunity', 'lead'].map((kind) => [h('a', { href: dealHref(`${kind}/${id}`) }, `look for the ${kind}`), ' '])));
}

function dealIds(link, known, fields) {
  const marks = new Set(list(known?.marks));
  if (Object.keys(object(link.parked)).length) marks.add('parked');
  if (list(link.awaiting).length) marks.add('awaiting_microsoft');
  if (fields.some((f) => f.waits)) marks.add('waiting');
  return h('div', null, h('p', null, stateChips(link.state, [...marks])),
    h('dl', { class: 'ids' }, [['Referral', link.referral], ['Engagement', link.engagement], ["Microsoft's referral", link.microsoft], ['CRM record', link.record]]
      .map(([label, id]) => h('div', null, h('dt', null, label), h('dd', null, id ? [h('code', null, id), ' ', copyButton(id, label)] : DASH)))));
}

function dealActs(ids, parked) {
  const filter = ids.referral ?? ids.record;
  const which = ids.referral ? { referral: ids.referral } : { record: ids.record };
  const retry = { command: 'retry', filter };
  const act = (label, title, says, command, preview, danger) => button(label, () => confirmAct({ title, says, command, danger, preview, label: `Confirm: ${title.toLowerCase()}` }), { class: danger ? 'danger' : null });
  return h('div', { class: 'row acts', role: 'group', 'aria-label': 'Acts' },
    act('Look now…', 'Look now', 'The connector reads both sides of this deal now and writes what is due.', { command: 'look', ...which }, which),
    parked.length > 0 && act('Retry…', 'Retry', `Set aside in this deal: ${parked.join(', ')}. The connector tries again.`, retry, which),
    act('Relink…', 'Relink', 'A detached deal looks for its record again; then both sides are compared.', { command: 'relink', ...which }, null),
    act('Disconnect…', 'Disconnect', 'Sync with Partner Center is set to No at the record. Both sides stay as they are, and nothing goes either way until a seller sets it to Yes again.', { command: 'disconnect', ...which }, null, true));
}

function fieldsShown(fields, shown) {
  const body = h('tbody');
  const only = h('input', { type: 'checkbox', id: 'only-differs', onchange: () => show() });
  const dull = (f) => f.same === true && !f.parked && !f.waits;
  const differing = fields.filter((f) => !dull(f)).length;
  const show = () => {
    const rows = fields.filter((f) => !only.checked || !dull(f));
    fill(body, rows.length ? rows.map((f) => fieldRow(f, shown)) : h('tr', null, h('td', { colspan: 6, class: 'quiet' }, 'No field differs.')));
  };
  show();
  const unread = ['partner_center', 'crm'].filter((side) => shown[side] === false);
  return h('section', null,
    h('div', { class: 'row between' }, h('h2', null, 'Fields'), h('label', { class: 'check' }, only, ` Only what differs (${count(differing)} of ${count(fields.length)})`)),
    unread.length > 0 && h('p', { class: 'notice' }, `Not shown now: ${unread.map(sideName).join(' and ')}.`),
    table('Fields of this deal on both sides', ['Field', 'Partner Center now', 'CRM now', 'Agreed', 'Owner', 'State'], body));
}

function fieldRow(f, shown) {
  const now = object(f.now);
  const agreed = object(f.agreed);
  const way = { both: 'both ways', to_crm: 'to CRM', to_partner_center: 'to Partner Center' }[f.way] ?? text(f.way);
  const side = (name) => h('td', null, shown[name] === false ? h('span', { class: 'quiet' }, 'not shown') : [valueShown(now[name]), moved(now[name], agreed[name])]);
  return h('tr', { class: 'field-row' },
    h('th', { scope: 'row' }, text(f.label ?? f.field), h('div', { class: 'quiet' }, h('code', null, text(f.field)), ` ${way}`, f.on && f.on !== 'both' ? `, on ${f.on} only` : '')),
    side('partner_center'), side('crm'),
    h('td', null, agreedShown(agreed)),
    h('td', null, sideName(f.owner)),
    h('td', null, fieldState(f)));
}

function fieldState(f) {
  const words = [];
  if (f.parked) words.push([chip('set aside', 'warn'), h('div', { class: 'quiet' }, rich(f.parked))]);
  if (f.waits) words.push(chip('waits', 'info'));
  if (f.same === true) words.push(chip('✓ same', 'good'));
  else if (f.same === false) words.push(chip('differs', 'warn'));
  else if (!words.length) words.push(chip('not compared'));
  return h('div', { class: 'chips' }, words);
}

function agreedShown({ partner_center: pc = null, crm = null }) {
  if (canon(pc) === canon(crm)) return valueShown(pc);
  if (pc === null || crm === null) return valueShown(pc ?? crm);
  return [h('div', null, h('span', { class: 'quiet' }, 'Partner Center: '), valueShown(pc)), h('div', null, h('span', { class: 'quiet' }, 'CRM: '), valueShown(crm))];
}

/** Says that a side has left what was agreed on; digests are not comparable with texts. */
function moved(now, agreed) {
  if (now === undefined || agreed === null || agreed === undefined || isDigest(agreed) !== isDigest(now)) return null;
  return canon(now) === canon(agreed) ? null : h('div', null, chip('changed since', 'info'));
}

function canon(value) {
  if (!isObject(value)) return JSON.stringify(value ?? null);
  return JSON.stringify(Object.keys(value).sort().map((key) => [key, canon(value[key])]));
}

const isDigest = (v) => typeof v === 'string' && v.startsWith('digest:');
const CLIP = 160;

function valueShown(value) {
  if (value === null || value === undefined || value === '') return h('span', { class: 'quiet' }, DASH);
  if (isDigest(value)) return h('span', { class: 'quiet', title: value }, 'long text (digest)');
  if (!isObject(value)) return clipped(flat(value));
  const members = Object.entries(value);
  if (!members.length) return h('span', { class: 'quiet' }, 'none');
  if (!members.every(([, v]) => isObject(v))) return h('span', { title: members.map(([k, v]) => `${k}: ${flat(v)}`).join('\n') }, clipped(flat(value)));
  return h('ul', { class: 'elements' }, members.map(([key, v]) => h('li', { title: key }, clipped(flat(v) || key))));
}

function flat(value) {
  if (value === null || value === undefined) return '';
  if (value === true) return 'Yes';
  if (value === false) return 'No';
  if (isDigest(value)) return 'long text (digest)';
  if (Array.isArray(value)) return value.map(flat).join(', ');
  if (!isObject(value)) return String(value);
  return Object.entries(value).map(([k, v]) => (typeof v === 'boolean' ? `${k}: ${flat(v)}` : flat(v))).filter(Boolean).join(' ');
}

function clipped(words) {
  if (words.length <= CLIP) return h('span', { class: 'value' }, words);
  return h('details', { class: 'long' }, h('summary', null, h('span', { class: 'start' }, `${words.slice(0, CLIP - 20)}… `), h('span', { class: 'open-word' }, 'show all')), h('span', { class: 'value' }, words));
}

function timelineShown(entries) {
  if (!entries.length) return h('p', { class: 'quiet' }, 'No decision is kept for this deal.');
  const sorted = entries.map(object).map((e, i) => [e, i]).sort(([a, i], [b, j]) => String(b.at ?? '').localeCompare(String(a.at ?? '')) || j - i);
  return h('ol', { class: 'timeline' }, sorted.map(([e]) => h('li', null, when(e.at, stamp), chip(text(e.decision), decisionKind(e.decision)), h('span', null, rich(e.text)))));
}

function decisionKind(decision) {
  if (/park|fail|refus|conflict|stop|fault/i.test(decision)) return 'warn';
  return /creat|updat|link|wrote|written/i.test(decision) ? 'good' : '';
}

/* ---------- what is set aside ---------- */

function parkedView(main) {
  const box = h('div');
  const read = () => load(box, (signal) => admin({ command: 'parked' }, signal), ({ lines, data }) => {
    const groups = list(object(data).groups).map(object);
    const trouble = lines.filter((line) => line?.level !== 'ok');
    if (!Array.isArray(object(data).groups)) return [h('p', { class: 'notice' }, 'The connector gave no list.'), reportLines(lines)];
    return [trouble.length > 0 && reportLines(trouble), groups.length ? groups.map(groupCard) : h('p', { class: 'notice' }, 'Nothing is set aside.')];
  });
  main.append(heading('Set aside', button('Read again', read)), h('p', { class: 'quiet' }, 'What was refused and is not tried at full speed any more, one card for each cause.'), box);
  read();
}

function groupCard(group) {
  const ids = list(group.ids).map(String);
  return h('section', { class: 'card' },
    h('h2', null, h('span', { class: 'number' }, count(group.count)), ' ', rich(group.cause)),
    group.cure && h('p', { class: 'cure' }, 'Cure: ', rich(group.cure)),
    h('p', { class: 'quiet' }, `${Number.isFinite(group.attempts) ? plural(group.attempts, 'attempt') : DASH} · next try `, group.next_try ? [when(group.next_try), ` (${stamp(group.next_try)} UTC)`] : DASH),
    ids.length > 0 && h('details', { open: ids.length <= 8 }, h('summary', null, idsLabel(group, ids)), h('ul', { class: 'id-list' }, ids.map((id) => h('li', null, idLink(id))))),
    group.messages && h('div', { class: 'row' }, button('Redrive…', redrive)),
    !group.messages && ids.length > 0 && h('div', { class: 'row' }, button('Retry all of these…', () => retryAll(ids, group)), asCommand(...retries(ids))));
}

const retries = (ids) => ids.map((id) => ({ command: 'retry', filter: id }));
const idsLabel = (group, ids) => (group.count > ids.length ? `The first ${count(ids.length)} ids` : plural(ids.length, 'id'));
const idLink = (id) => h(whole(id) || /^(opportunity|lead)\/./.test(id) ? 'a' : 'code', whole(id) || /^(opportunity|lead)\/./.test(id) ? { href: dealHref(id) } : null, id);

function retryAll(ids, group) {
  const bar = h('progress', { max: ids.length, value: 0, 'aria-label': 'Retried' });
  const word = h('p', null, `0 of ${count(ids.length)}`);
  const results = h('ul', { class: 'lines results' });
  const rest = group.count > ids.length ? ` The group holds ${count(group.count)}; these are the ones that are listed.` : '';
  const { dialog, body, foot, refresh, close } = openDialog('Retry all of these', h('p', null, `${plural(ids.length, 'retry', 'retries')}, one after the other.${rest}`), h('p', { class: 'quiet' }, rich(group.cause)), asCommand(...retries(ids)));
  fill(foot, button('Cancel', close), button(`Retry ${count(ids.length)}`, run, { class: 'primary' }));
  async function run() {
    body.append(bar, word, results);
    refresh();
    fill(foot, button('Stop here', close));
    foot.firstChild.focus();
    let refused = 0;
    for (const [i, id] of ids.entries()) {
      if (!dialog.open || !dialog.isConnected) return announce(`Stopped after ${count(i)} of ${count(ids.length)}.`);
      const line = await retryOne(id);
      if (line.level !== 'ok') refused += 1;
      results.append(...reportLines([line]).children);
      bar.value = i + 1;
      word.textContent = `${count(i + 1)} of ${count(ids.length)}, ${count(refused)} not taken`;
    }
    fill(foot, button('Close', close));
    if (dialog.open) foot.firstChild.focus();
    announce(`${count(ids.length)} retried, ${count(refused)} not taken.`);
  }
}

async function retryOne(id) {
  try {
    const { ok, lines, data } = await admin({ command: 'retry', filter: id });
    const taken = ok && object(data).sent > 0;
    return { level: taken ? 'ok' : 'warning', text: `${id}: ${lines.map((line) => text(line?.text)).join(' ') || (ok ? 'taken' : 'not taken')}` };
  } catch (error) {
    return { level: 'fault', text: `${id}: ${error.message}` };
  }
}

/* ---------- mapping ---------- */

function mapView(main) {
  const editor = h('div');
  const past = h('div');
  main.append(heading('Mapping'), h('p', { class: 'quiet' }, 'The override is laid over the default map. Check it first; only a text that was checked without a fault can be set.'), editor, h('h2', null, 'History'), past);
  load(editor, (signal) => admin({ command: 'map', action: 'show' }, signal), mapEditor);
  load(past, (signal) => admin({ command: 'map', action: 'history' }, signal), ({ data, lines }) => mapHistory(list(data), lines));
}

function mapEditor({ data, lines }) {
  const active = object(data);
  let checked = null;
  const area = h('textarea', { id: 'map-text', rows: 18, spellcheck: 'false', value: active.map ?? '', oninput: () => { set.disabled = area.value !== checked; } });
  const result = h('div', { class: 'check-result' });
  const set = button('Set…', () => setMap(area.value, result), { class: 'primary', disabled: true });
  const check = () => {
    const toml = area.value;
    load(result, (signal) => admin({ command: 'map', action: 'check', map: toml }, signal), (report) => {
      const clean = report.ok && !report.lines.some((line) => line?.level === 'fault');
      checked = clean ? toml : null;
      set.disabled = area.value !== checked;
      announce(clean ? 'Checked: no fault.' : 'Checked: there are faults.', clean ? '' : 'fault');
      return [h('h2', null, clean ? 'Checked: no fault' : 'Checked: faults'), checkLines(report.lines, area), wouldCompare(object(report.data))];
    });
  };
  return [lines.some((line) => line?.level !== 'ok') && reportLines(lines),
    h('p', null, active.map ? `Active: version ${text(active.version)}.` : 'The default map is active; nothing is laid over it.'),
    h('div', { class: 'field' }, h('label', { for: 'map-text' }, 'Override (TOML)'), area),
    h('div', { class: 'row' }, button('Check', check), set, h('span', { class: 'quiet' }, 'Set is open after a check without a fault of exactly this text.')), result];
}

function checkLines(lines, area) {
  const shown = reportLines(lines, 'No line was reported.');
  lines.forEach((line, i) => {
    const n = Number(/\bline (\d+)/.exec(line?.text ?? '')?.[1]);
    if (n) shown.children[i].lastChild.append(button(`Go to line ${n}`, () => caretTo(area, n), { class: 'small' }));
  });
  return shown;
}

function caretTo(area, n) {
  const rows = area.value.split('\n');
  const start = rows.slice(0, n - 1).reduce((sum, row) => sum + row.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (rows[n - 1]?.length ?? 0));
  area.scrollTop = (n - 5) * (area.scrollHeight / Math.max(rows.length, area.rows));
}

function wouldCompare(data) {
  const part = (label, group, one) => {
    const entries = Object.entries(object(group));
    return entries.length > 0 && [h('h3', null, label), h('ul', null, entries.map(([key, n]) => h('li', null, `${key}: ${plural(n, one)}`)))];
  };
  return [Number.isFinite(data.looked_at) && h('p', null, `Looked at ${plural(data.looked_at, 'deal')}.`),
    part('Would be compared anew', data.compared_anew, 'deal'), part('Would be written', data.would_write, 'deal')];
}

function setMap(toml, result) {
  const effects = [...result.children].slice(1).map((node) => node.cloneNode(true));
  confirmAct({ title: 'Set the map', says: 'This text becomes the active override.', label: 'Set', command: { command: 'map', action: 'set', map: toml }, detail: h('div', null, effects) });
}

function mapHistory(versions, lines) {
  if (!versions.length) return reportLines(lines.filter((line) => line?.level !== 'ok'), 'No override was ever set.');
  const newest = versions.map(object).sort((a, b) => Number(b.version) - Number(a.version));
  return h('ul', { class: 'history' }, newest.map((v) => h('li', { class: 'card' },
    h('div', { class: 'row between' }, h('span', null, h('strong', null, `Version ${text(v.version)}`), ' ', when(v.at, stamp)),
      button('Roll back…', () => confirmAct({ title: `Roll back to version ${text(v.version)}`, says: 'The text of this version becomes the active override.', label: 'Roll back', command: { command: 'map', action: 'rollback', version: v.version }, detail: h('pre', null, text(v.toml)) }), { 'aria-label': `Roll back to version ${text(v.version)}` })),
    h('details', null, h('summary', null, 'Show'), h('pre', null, text(v.toml))))));
}

/* ---------- set-up ---------- */

function setupView(main) {
  const box = h('div');
  const doctor = () => load(box, (signal) => admin({ command: 'doctor' }, signal), ({ lines }) => doctorShown(lines));
  main.append(heading('Set-up', button('Run doctor again', doctor)), box,
    h('section', null, h('h2', null, 'Further checks'), runner('selftest', 'Run selftest'), runner('watch', 'Run watch')),
    h('section', null, h('h2', null, 'Backfill'), backfill()));
  doctor();
}

function doctorShown(lines) {
  const deadline = (line) => /\bdays?\b|certificate|token/i.test(line?.text ?? '');
  const rank = (line) => ['fault', 'warning', 'ok'].indexOf(line?.level);
  const sorted = [...lines].sort((a, b) => rank(a) - rank(b));
  const rest = sorted.filter((line) => !deadline(line));
  const groups = [['Deadlines', sorted.filter(deadline)], ['Faults', rest.filter((l) => l?.level === 'fault')], ['Warnings', rest.filter((l) => l?.level === 'warning')],
    ['In order', rest.filter((l) => l?.level === 'ok')], ['Other', rest.filter((l) => rank(l) < 0)]].filter(([, part]) => part.length);
  return [groups.length ? groups.map(([label, part]) => h('section', null, h('h2', null, `${label} (${part.length})`), reportLines(part))) : reportLines([]), asCommand({ command: 'doctor' })];
}

function runner(command, label) {
  const result = h('div');
  return h('div', { class: 'runner' }, h('div', { class: 'row' }, button(label, () => load(result, (signal) => admin({ command }, signal), ({ ok, lines }) => {
    announce(ok ? `${command}: well.` : `${command}: see the lines.`, ok ? '' : 'fault');
    return reportLines(lines);
  })), asCommand({ command })), result);
}

function backfill() {
  const result = h('div');
  const status = () => load(result, (signal) => admin({ command: 'backfill', action: 'status' }, signal), ({ lines }) => reportLines(lines));
  const ask = (action, says) => confirmAct({ title: `Backfill: ${action}`, label: `Confirm: ${action}`, says, command: { command: 'backfill', action } });
  return [h('div', { class: 'row' }, button('Status', status), button('Start…', () => ask('start', 'The connector goes through all referrals and deals once.')), button('Stop…', () => ask('stop', 'The backfill that runs is ended.'))), result];
}

/* ---------- local run ---------- */

let world = { partner_center: [], crm: [], events: [] };
const POLL = 700;
const CARDS = 60;
const pcItem = (id) => world.partner_center.find((r) => r.id === id);
const crmItem = (id) => world.crm.find((d) => d.id === id);
const pairOf = (referral) => world.crm.find((d) => d.referral_id && d.referral_id === referral);
const equal = (a, b) => Number(a) === Number(b);

function localView(main) {
  const { signal } = view;
  const boxes = { trouble: h('div'), pc: h('ul', { class: 'cards' }), crm: h('ul', { class: 'cards' }), events: h('ol', { class: 'events' }), tour: h('ol', { class: 'tour' }), paused: false };
  const pause = button('Pause', () => {
    boxes.paused = !boxes.paused;
    pause.setAttribute('aria-pressed', String(boxes.paused));
    pause.textContent = boxes.paused ? 'Go on' : 'Pause';
    if (!boxes.paused) readWorld(boxes, signal);
  }, { class: 'small', 'aria-pressed': 'false' });
  refreshWorld = () => readWorld(boxes, signal);
  main.append(heading('Local run'), h('p', { class: 'quiet' }, `Partner Center and ${crmName(about.crm)} are simulated on this machine; the connector between them is the real one.`), boxes.trouble,
    h('details', { class: 'panel', open: true }, h('summary', null, h('h2', null, 'Guided tour')), boxes.tour),
    h('details', { class: 'panel', open: true }, h('summary', null, h('h2', null, 'Make trouble')), troublePanel()),
    h('div', { class: 'three' },
      h('section', { class: 'pc' }, h('h2', null, 'Partner Center'), h('div', { class: 'row' }, h('span', { class: 'quiet' }, 'As Microsoft:'), actButton('Send a co-sell referral', { act: 'refer', kind: 'cosell' }), actButton('Send a lead', { act: 'refer', kind: 'lead' })), scroller('Referrals in Partner Center', boxes.pc)),
      h('section', { class: 'mid' }, h('div', { class: 'row between' }, h('h2', null, 'What happens'), pause), h('p', { class: 'quiet' }, 'Newest first.'), scroller('Events', boxes.events)),
      h('section', { class: 'crm' }, h('h2', null, crmName(about.crm)), h('div', { class: 'row' }, h('span', { class: 'quiet' }, 'As seller:'), actButton('New deal', { act: 'deal' })), scroller('Deals and leads in the CRM', boxes.crm))));
  showTour(boxes.tour);
  pollWorld(boxes, signal);
}

let refreshWorld = () => {};

async function pollWorld(boxes, signal) {
  while (!signal.aborted) {
    const well = boxes.paused || document.hidden || await readWorld(boxes, signal);
    await new Promise((resolve) => { setTimeout(resolve, well ? POLL : 3000); });
  }
}

async function readWorld(boxes, signal) {
  try {
    const answer = object(await call('/api/local', undefined, signal));
    world = { partner_center: list(answer.partner_center).map(object), crm: list(answer.crm).map(object), events: list(answer.events).map(object) };
    showWorld(boxes);
    if (boxes.trouble.firstChild) fill(boxes.trouble);
    return true;
  } catch (error) {
    if (!signal.aborted && !boxes.trouble.firstChild) fill(boxes.trouble, failure(error, () => readWorld(boxes, signal)));
    return false;
  }
}

function showWorld(boxes) {
  const newest = (items) => items.slice(-CARDS).reverse();
  keyed(boxes.pc, newest(world.partner_center), (r) => r.id, (r) => [r, pairOf(r.id)?.deal_value], referralCard, 'No referral yet.', world.partner_center.length - CARDS);
  keyed(boxes.crm, newest(world.crm), (d) => d.id, (d) => d, crmCard, 'No deal yet.', world.crm.length - CARDS);
  keyed(boxes.events, [...world.events].sort((a, b) => b.n - a.n), (e) => String(e.n), (e) => e, eventRow, 'Nothing happened yet.', 0);
  announceEvents();
  showTour(boxes.tour);
}

/** Brings `box` in line with `items`; untouched nodes stay, so that focus and half-typed values do. */
function keyed(box, items, key, sign, build, empty, hidden) {
  const old = box.kept ?? new Map();
  const kept = new Map();
  box.querySelector(':scope > .extra')?.remove();
  let cursor = box.firstChild;
  for (const item of items) {
    const mark = JSON.stringify(sign(item));
    let entry = old.get(key(item));
    if (!entry || entry.mark !== mark) {
      const fresh = { mark, node: build(item) };
      if (entry) { if (entry.node === cursor) cursor = fresh.node; replaceCard(entry.node, fresh.node); }
      entry = fresh;
    }
    kept.set(key(item), entry);
    if (entry.node === cursor) cursor = cursor.nextSibling;
    else box.insertBefore(entry.node, cursor);
  }
  for (const [id, { node }] of old) if (!kept.has(id)) node.remove();
  box.kept = kept;
  const note = !items.length ? empty : hidden > 0 ? `${count(hidden)} older ones are not shown here. See Deals.` : null;
  if (note) box.append(h('li', { class: 'extra quiet' }, note));
}

function replaceCard(old, fresh) {
  const focus = old.contains(document.activeElement) ? document.activeElement.dataset.k : null;
  const typed = old.querySelector('input');
  if (typed && typed.value !== typed.dataset.was) { const input = fresh.querySelector('input'); if (input) input.value = typed.value; }
  old.replaceWith(fresh);
  if (focus) (fresh.querySelector(`[data-k="${CSS.escape(focus)}"]`) ?? fresh.querySelector('a, button'))?.focus();
}

let lastEvent = null;
let lastSaid = 0;
function announceEvents() {
  const newest = Math.max(0, ...world.events.map((e) => Number(e.n) || 0));
  const fresh = lastEvent === null ? [] : world.events.filter((e) => e.n > lastEvent && e.kind !== 'you');
  if (fresh.length && Date.now() - lastSaid < 4000) return;
  lastEvent = newest;
  if (!fresh.length) return;
  lastSaid = Date.now();
  const last = fresh.reduce((a, b) => (b.n > a.n ? b : a));
  announce(`${plural(fresh.length, 'new event')}. Last: ${text(last.text)}`);
}

function eventRow(e) {
  const kind = { parked: 'warn', decision: 'good', you: 'info' }[e.kind] ?? '';
  return h('li', { class: 'event' }, h('time', { datetime: e.at, title: e.at }, e.at ? clock(e.at) : DASH), chip(sideName(e.kind), kind), h('span', null, rich(e.text)));
}

async function localAct(body, from) {
  if (from?.getAttribute('aria-busy') === 'true') return null;
  from?.setAttribute('aria-busy', 'true');
  try {
    const answer = object(await call('/api/local', body));
    announce(text(answer.said ?? 'Done.'));
    refreshWorld();
    return answer;
  } catch (error) {
    announce(error.message, 'fault');
    return null;
  } finally {
    from?.removeAttribute('aria-busy');
  }
}

const actButton = (label, body, props) => button(label, (event) => localAct(body, event.currentTarget), { class: 'small', 'data-k': `${body.act} ${body.does ?? body.side ?? ''}`, ...props });

function valueForm(item, act, owner) {
  const id = `value-${owner}-${item.id}`;
  const was = item.deal_value ?? '';
  const input = h('input', { id, type: 'number', min: '0', step: 'any', value: was, 'data-k': 'value', 'data-was': String(was) });
  return h('form', { class: 'row', onsubmit: async (event) => {
    event.preventDefault();
    if (input.value === '') return announce('Give a value first.', 'fault');
    const sent = input.value;
    if (await localAct({ act, id: item.id, deal_value: Number(sent) })) input.dataset.was = sent;
  } }, h('label', { for: id }, 'Value'), input, h('button', { class: 'small', 'data-k': 'save' }, 'Save'));
}

function referralCard(r) {
  const open = !/closed/i.test(r.status ?? '');
  const fresh = /new/i.test(r.status ?? '') && !/accepted/i.test(r.substatus ?? '');
  const outgoing = /outgoing/i.test(r.direction ?? '');
  const pair = pairOf(r.id);
  return h('li', { class: 'card' },
    h('h3', null, h('a', { href: dealHref(r.id ?? ''), 'data-k': 'open' }, text(r.name))),
    h('p', { class: 'chips' }, chip(`${text(r.status)}/${text(r.substatus)}`, open ? 'info' : ''), pair && (equal(pair.deal_value, r.deal_value) ? chip('✓ equal in CRM', 'good') : chip('value differs in CRM', 'warn'))),
    h('p', { class: 'quiet' }, `${money(r.deal_value, r.currency)} · ${text(r.type)} · ${text(r.direction)}`, r.microsoft === true && ' · with Microsoft'),
    open && valueForm(r, 'edit_referral', 'pc'),
    h('div', { class: 'row' }, fresh && !outgoing && [actButton('Accept', { act: 'accept', id: r.id }), actButton('Decline', { act: 'decline', id: r.id })],
      open && !fresh && [actButton('Win', { act: 'win', id: r.id }), actButton('Lose', { act: 'lose', id: r.id })],
      open && pair && actButton('Edit both sides', { act: 'both', id: r.id })),
    open && outgoing && r.microsoft !== false && h('div', { class: 'row' }, h('span', { class: 'quiet' }, 'As Microsoft:'), actButton('Accept', { act: 'microsoft', id: r.id, does: 'accept' }), actButton('Decline', { act: 'microsoft', id: r.id, does: 'decline' })));
}

function crmCard(d) {
  const open = !/won|lost|closed|disqualified|converted/i.test(d.status ?? '');
  const deal = d.table !== 'leads';
  return h('li', { class: 'card' },
    h('h3', null, d.referral_id ? h('a', { href: dealHref(d.referral_id), 'data-k': 'open' }, text(d.name)) : text(d.name)),
    h('p', { class: 'chips' }, chip(text(d.status), open ? 'info' : ''), chip(deal ? 'opportunity' : 'lead'), d.sync === true ? chip('Sync: Yes', 'good') : chip(`Sync: ${d.sync === false ? 'No' : DASH}`)),
    h('p', { class: 'quiet' }, money(d.deal_value)),
    d.audit && h('p', { class: 'quiet audit' }, d.audit),
    open && deal && valueForm(d, 'edit_deal', 'crm'),
    open && deal && h('div', { class: 'row' }, d.sync !== true && !d.referral_id && actButton('Share with Microsoft', { act: 'share', id: d.id }), actButton('Win', { act: 'win_deal', id: d.id }), actButton('Lose', { act: 'lose_deal', id: d.id })));
}

function troublePanel() {
  const both = button('Edit both sides of a deal', (event) => {
    const pair = world.crm.find((d) => d.referral_id && pcItem(d.referral_id) && !/closed/i.test(pcItem(d.referral_id).status ?? ''));
    return pair ? localAct({ act: 'both', id: pair.referral_id }, event.currentTarget) : announce('No deal is on both sides yet.', 'fault');
  }, { class: 'small' });
  return h('div', { class: 'row' },
    actButton('Lose a webhook', { act: 'lose_webhook' }), actButton('Send a webhook twice', { act: 'double_webhook' }), actButton('Tamper with a webhook', { act: 'tamper_webhook' }),
    ['crm', 'partner_center'].map((side) => [actButton(`Stop ${sideName(side)}`, { act: 'stop', side }), actButton(`Throttle ${sideName(side)}`, { act: 'throttle', side })]),
    actButton('Kill the writer', { act: 'kill_writer' }), both, actButton('Import 200 rows', { act: 'import' }), actButton('Mend everything', { act: 'mend' }, { class: 'small primary' }));
}

/* ---------- guided tour ---------- */

const tour = { id: null, value: null, deal: null, missed: null, done: new Set(), asked: new Set() };
const tourPair = () => pairOf(tour.id);
const raised = (by) => Math.round(Number(pcItem(tour.id)?.deal_value ?? 50000)) + by;

const STEPS = [
  { label: 'Microsoft sends a referral', go: 'Send a referral', ready: () => true, check: () => Boolean(pcItem(tour.id)),
    async run() {
      const before = new Set(world.partner_center.map((r) => r.id));
      const answer = await localAct({ act: 'refer', kind: 'cosell' });
      if (!answer) return false;
      if (!answer.id) await refreshWorld();
      tour.id = answer.id ?? world.partner_center.find((r) => !before.has(r.id))?.id ?? null;
      return true;
    } },
  { label: 'See the opportunity appear in the CRM', go: 'Show it', ready: () => tour.id, check: () => Boolean(tourPair()),
    async run() { document.querySelector('.three .crm')?.scrollIntoView({ block: 'nearest' }); return true; } },
  { label: 'Accept it in Partner Center', go: 'Accept', ready: () => tour.id, check: () => /active/i.test(pcItem(tour.id)?.status ?? '') || /accepted/i.test(pcItem(tour.id)?.substatus ?? ''),
    run: () => localAct({ act: 'accept', id: tour.id }) },
  { label: 'Edit the value in Partner Center', go: 'Edit the value', ready: () => tourPair(), check: () => tour.value !== null && equal(tourPair()?.deal_value, tour.value),
    run: () => localAct({ act: 'edit_referral', id: tour.id, deal_value: (tour.value = raised(7500)) }) },
  { label: 'Share a deal of the seller', go: 'Make and share', ready: () => true, check: () => Boolean(tour.deal && crmItem(tour.deal)?.referral_id),
    async run() {
      const before = new Set(world.crm.map((d) => d.id));
      const made = await localAct({ act: 'deal' });
      if (!made) return false;
      if (!made.id) await refreshWorld();
      tour.deal = made.id ?? world.crm.find((d) => !before.has(d.id))?.id ?? null;
      return tour.deal && localAct({ act: 'share', id: tour.deal });
    } },
  { label: 'Lose a webhook, stop the CRM and edit', go: 'Lose, stop, edit', ready: () => tourPair(), check: () => tour.missed !== null && equal(pcItem(tour.id)?.deal_value, tour.missed),
    async run() {
      const stopped = await localAct({ act: 'stop', side: 'crm' }) && await localAct({ act: 'lose_webhook' });
      return stopped && localAct({ act: 'edit_referral', id: tour.id, deal_value: (tour.missed = raised(1250)) });
    } },
  { label: 'Mend, and see both sides equal again', go: 'Mend', ready: () => tour.missed !== null, check: () => tour.missed !== null && tour.asked.has(6) && equal(tourPair()?.deal_value, pcItem(tour.id)?.deal_value),
    run: () => localAct({ act: 'mend' }) },
];

function showTour(box) {
  STEPS.forEach((step, i) => {
    if (!tour.done.has(i) && step.check()) { tour.done.add(i); if (tour.asked.has(i)) announce(`Step ${i + 1} happened: ${step.label}.`); }
  });
  const current = STEPS.findIndex((_, i) => !tour.done.has(i));
  STEPS.forEach((step, i) => {
    const item = box.children[i] ?? box.appendChild(tourItem(step, i, box));
    const word = tour.done.has(i) ? '✓ happened' : tour.asked.has(i) ? 'waiting…' : i === current ? 'next' : 'to do';
    const mark = item.querySelector('.chip');
    if (mark.textContent !== word) { mark.textContent = word; mark.className = `chip ${tour.done.has(i) ? 'good' : tour.asked.has(i) ? 'info' : ''}`; }
    item.className = i === current ? 'current' : '';
    item.querySelector('button').disabled = !step.ready();
  });
}

function tourItem(step, i, box) {
  const press = button(step.go, async () => {
    tour.asked.add(i);
    const was = tour.done.delete(i);
    showTour(box);
    if (!await step.run()) { tour.asked.delete(i); if (was) tour.done.add(i); }
    showTour(box);
  }, { class: 'small' });
  return h('li', null, h('div', null, h('p', { class: 'row between' }, h('strong', null, `${i + 1}`), chip('')), h('p', null, step.label)), h('div', null, press));
}

/* ---------- routes ---------- */

const VIEWS = {
  local: ['Local run', localView], overview: ['Overview', overviewView], deals: ['Deals', dealsView], deal: [null, dealView],
  parked: ['Set aside', parkedView], map: ['Mapping', mapView], setup: ['Set-up', setupView],
};

const title = (name) => { document.title = `${name} · ${about.name} · Co-sell console`; };

function heading(name, ...buttons) {
  return h('div', { class: 'row between head' }, h('h1', { tabindex: '-1' }, name), h('div', { class: 'row' }, buttons));
}

function route() {
  view.abort();
  view = new AbortController();
  document.querySelectorAll('dialog').forEach(removeDialog);
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [name, ...rest] = path.split('/').filter(Boolean).map(decoded);
  const start = about.mode === 'local' ? 'local' : 'overview';
  const key = Object.hasOwn(VIEWS, name ?? '') && (name !== 'local' || about.mode === 'local') ? name : start;
  const [label, show] = VIEWS[key];
  const main = byId('main');
  fill(main);
  main.className = `view-${key}`;
  showNav(key);
  title(label ?? 'Deal');
  show(main, rest, new URLSearchParams(query));
  main.querySelector('h1')?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function decoded(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

function showNav(current) {
  const entries = Object.entries(VIEWS).filter(([key, [label]]) => label && (key !== 'local' || about.mode === 'local'));
  const here = current === 'deal' ? 'deals' : current;
  fill(byId('nav'), entries.map(([key, [label]]) => h('li', null, h('a', { href: `#/${key}`, 'aria-current': key === here ? (current === here ? 'page' : 'true') : null }, label))));
}

async function start() {
  const main = byId('main');
  await load(main, async (signal) => {
    about = { ...about, ...object(await call('/api/about', undefined, signal)) };
    return about;
  }, () => {
    byId('where').textContent = `${text(about.name)} · ${crmName(about.crm)}`;
    window.addEventListener('hashchange', route);
    queueMicrotask(route);
    return [];
  });
}

byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  (document.querySelector('main h1') ?? byId('main')).focus();
});

start();
