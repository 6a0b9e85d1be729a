// deals.js: the list of deals, its filters and its export.

import {
  GUID, MARKS, ago, announce, asCommand, button, count, crmStatus, dealHref, failure, fill, go, h, heading, kept, list,
  load, money, object, plural, read as asked, reportLines, scroller, stateChips, text, view, when,
} from './kit.js';

const STATES = ['creating', 'linked', 'detached', 'closed', 'stopped'];
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

export function dealsView(main, _path, params) {
  const filter = { state: params.get('state') ?? '', text: params.get('text') ?? '', mark: params.get('mark') ?? '', open: params.get('open') === 'yes', sort: params.get('sort') ?? 'changed', down: (params.get('order') ?? 'down') === 'down', shown: STEP };
  const parts = { box: h('div'), body: h('tbody'), sum: h('p', { class: 'quiet grow' }), more: h('div', { class: 'row' }), heads: new Map() };
  const show = () => showDeals(filter, parts, grow);
  const grow = async (all) => {
    const { signal } = view;
    const store = kept.deals;
    const stale = () => signal.aborted || store !== kept.deals;
    try {
      do {
        fill(parts.more, h('p', { class: 'quiet' }, `Loading… ${count(store.rows.length)} so far.`));
        await moreDeals(store, signal);
      } while (all && store.next && !stale());
      if (stale()) return;
      show();
      announce(`${plural(store.rows.length, 'deal')} loaded.`);
    } catch (error) {
      if (stale()) return;
      show(); // the pages before it are there
      fill(parts.more, failure(error, () => grow(all)));
    }
  };
  const read = () => load(parts.box, (signal) => firstDeals(filter.state, signal), (store) => {
    kept.deals = store;
    const shownTable = dealsTable(filter, parts, show);
    show();
    return [store.trouble?.length > 0 && reportLines(store.trouble), shownTable, parts.more];
  });
  main.append(heading('Deals', button('Export CSV', () => exportDeals(matching(filter), 'csv')), button('Export JSON', () => exportDeals(matching(filter), 'json')), button('Read again', () => { kept.deals = null; read(); })),
    dealsToolbar(filter, show, read), parts.sum, parts.box);
  read();
}

async function firstDeals(state, signal) {
  if (kept.deals && kept.deals.state === state && Date.now() - kept.deals.at < FRESH) return kept.deals;
  kept.deals = null;
  const store = { state, rows: [], next: null, at: Date.now() };
  await moreDeals(store, signal);
  return store;
}

async function moreDeals(store, signal) {
  const report = await asked({ command: 'deals', ...(store.state && { state: store.state }), limit: 1000, ...(store.next && { cursor: store.next }) }, signal);
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
  const open = h('input', { type: 'checkbox', id: 'deal-open', checked: filter.open, onchange: () => { filter.open = open.checked; again(); } });
  return h('div', { class: 'toolbar' },
    h('div', { class: 'field grow' }, h('label', { for: 'deal-search' }, 'Search, or paste a GUID or an address'), search),
    h('div', { class: 'field' }, h('label', { for: 'deal-state' }, 'State'), state),
    h('div', { class: 'field', role: 'group', 'aria-label': 'Marks' }, h('span', { class: 'label' }, 'Marks'), h('div', { class: 'row' }, marks)),
    h('label', { class: 'check' }, open, ' Only pending or failed'),
    cosellCommand(filter));
}

/** The same question on the command line. */
function cosellCommand(filter) {
  const box = h('div');
  filter.told = () => fill(box, asCommand({ command: 'deals', ...((filter.state || filter.mark) && { state: filter.state || filter.mark }), ...(filter.text && { filter: filter.text }) }));
  filter.told();
  return box;
}

/** Whether a deal needs attention: it is parked, waits, differs, or is neither linked nor closed. */
const asks = (d) => list(d.marks).some((m) => m !== 'awaiting_microsoft') || !['linked', 'closed'].includes(d.state);

function rememberFilter(filter) {
  const query = new URLSearchParams();
  for (const key of ['state', 'text', 'mark']) if (filter[key]) query.set(key, filter[key]);
  if (filter.open) query.set('open', 'yes');
  if (filter.sort !== 'changed' || !filter.down) { query.set('sort', filter.sort); query.set('order', filter.down ? 'down' : 'up'); }
  filter.told?.();
  history.replaceState(null, '', `#/deals${String(query) && `?${query}`}`);
}

/** A pasted GUID, or an address of Partner Center, Dynamics 365 or Salesforce, leads to its deal. */
function jumpToDeal(pasted) {
  const salesforce = /\/(Opportunity|Lead)\/(\w{15,18})\b/i.exec(pasted);
  if (salesforce) return go(`#/deal/${salesforce[1].toLowerCase()}/${salesforce[2]}`);
  const guids = (pasted.match(GUID) ?? []).map((g) => g.toLowerCase());
  if (!guids.length) return false;
  const known = list(kept.deals?.rows).find((d) => guids.some((g) => haystack(d).includes(g)));
  if (known?.referral) return go(dealHref(known.referral));
  const etn = /\betn=(opportunity|lead)\b/i.exec(pasted);
  const own = /[?&]id=(?:%7b|\{)?([0-9a-f-]{36})/i.exec(pasted)?.[1].toLowerCase();
  return go(etn ? `#/deal/${etn[1].toLowerCase()}/${own ?? guids.at(-1)}` : dealHref(own ?? guids[0]));
}

function haystack(deal) {
  if (!haystacks.has(deal)) {
    haystacks.set(deal, [deal.name, deal.customer, deal.referral, deal.record, deal.microsoft, deal.partner_center, deal.crm, deal.value, deal.currency, deal.closing_date]
      .filter(Boolean).join('\n').toLowerCase());
  }
  return haystacks.get(deal);
}

function matching(filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = list(kept.deals?.rows).filter((d) => (!filter.mark || list(d.marks).includes(filter.mark)) && (!filter.open || asks(d)) && words.every((w) => haystack(d).includes(w)));
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
  if (!kept.deals) return;
  const rows = matching(filter);
  for (const [key, head] of parts.heads) head.setAttribute('aria-sort', key !== filter.sort ? 'none' : filter.down ? 'descending' : 'ascending');
  fill(parts.body, rows.length ? rows.slice(0, filter.shown).map(dealRow)
    : h('tr', null, h('td', { colspan: COLUMNS.length, class: 'quiet' }, kept.deals.rows.length ? 'No loaded deal matches.' : filter.state ? 'There is no deal in this state.' : 'There is no deal yet.')));
  fill(parts.sum, `${count(rows.length)} of ${plural(kept.deals.rows.length, 'loaded deal')} match`,
    rows.length > filter.shown && `, ${count(filter.shown)} shown`, kept.deals.next ? '. More deals can be loaded.' : '.', ` Read ${ago(kept.deals.at && new Date(kept.deals.at).toISOString())}.`);
  fill(parts.more,
    rows.length > filter.shown && button(`Show ${STEP} more`, () => { filter.shown += STEP; showDeals(filter, parts, grow); }),
    kept.deals.next && [button('Load 1,000 more', () => grow(false)), button('Load all', () => grow(true))]);
}

function dealRow(d) {
  return h('tr', null,
    h('th', { scope: 'row', class: 'name' }, h('a', { href: dealHref(d.referral ?? d.record ?? '') }, text(d.name ?? d.referral))),
    h('td', null, text(d.customer)),
    h('td', { class: 'num' }, money(d.value, d.currency)),
    h('td', { class: 'tight' }, text(d.closing_date)),
    h('td', null, text(d.partner_center)),
    h('td', null, crmStatus(d.crm)),
    h('td', null, stateChips(d.state, list(d.marks))),
    h('td', { class: 'tight' }, when(d.changed)));
}

const EXPORTED = ['referral', 'record', 'microsoft', 'state', 'marks', 'name', 'customer', 'value', 'currency', 'closing_date', 'partner_center', 'crm', 'changed'];

/** What the filters leave, as a file. `schema`: a reader knows which members to expect. A part of the list says that it is one. */
function exportDeals(rows, kind) {
  if (!kept.deals) return announce('No deal is loaded: nothing was exported.', 'fault');
  const complete = !kept.deals.next;
  const asJson = () => JSON.stringify({ schema: 1, exported: new Date().toISOString(), filter: location.hash, complete, deals: rows.map((d) => Object.fromEntries(EXPORTED.map((k) => [k, d[k] ?? null]))) }, null, 1);
  const content = kind === 'json' ? [asJson()] : ['\ufeff', csv(rows), '\r\n'];
  const href = URL.createObjectURL(new Blob(content, { type: kind === 'json' ? 'application/json' : 'text/csv' }));
  h('a', { href, download: `${complete ? 'deals' : 'deals-part'}.${kind}` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
  if (complete) return announce(`${plural(rows.length, 'deal')} exported.`);
  return announce(`${plural(rows.length, 'deal')} exported, of the ${count(kept.deals.rows.length)} that are loaded: there are more. “Load all” first, then export again.`, 'fault');
}

function csv(rows) {
  const cell = (value) => {
    const plain = Array.isArray(value) ? value.join(' ') : String(value ?? '');
    return `"${(/^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain).replaceAll('"', '""')}"`;
  };
  return [EXPORTED, ...rows.map((d) => EXPORTED.map((k) => d[k]))].map((row) => row.map(cell).join(',')).join('\r\n');
}
