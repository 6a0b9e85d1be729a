// local.js: the local run: both vendors beside each other, trouble, and the guided tour.

import {
  DASH, about, ahead, announce, button, call, chip, clock, count, crmName, dealHref, failure, fill, follow, h, heading, list,
  money, object, pauseButton, plural, rich, scroller, sideName, text, view,
} from './kit.js';

/* ---------- local run ---------- */

let world = { partner_center: [], crm: [], events: [] };
const CARDS = 60;
const pcItem = (id) => world.partner_center.find((r) => r.id === id);
const crmItem = (id) => world.crm.find((d) => d.id === id);
const pairOf = (referral) => world.crm.find((d) => d.referral_id && d.referral_id === referral);
const equal = (a, b) => Number(a) === Number(b);

export function localView(main) {
  const { signal } = view;
  const boxes = { trouble: h('div'), pc: h('ul', { class: 'cards' }), crm: h('ul', { class: 'cards' }), events: h('ol', { class: 'events' }), tour: h('ol', { class: 'tour' }) };
  const live = follow('local', (answer) => takeWorld(boxes, answer), (error) => { if (!boxes.trouble.firstChild) fill(boxes.trouble, failure(error, () => readWorld(boxes, signal))); });
  const pause = pauseButton((paused) => live.pause(paused));
  pause.classList.add('small');
  refreshWorld = () => readWorld(boxes, signal);
  main.append(heading('Local run'), h('p', { class: 'quiet' }, `Partner Center and ${crmName(about.crm)} are simulated on this machine; the connector between them is the real one.`), boxes.trouble,
    h('details', { class: 'panel', open: true }, h('summary', null, h('h2', null, 'Guided tour')), boxes.tour),
    h('details', { class: 'panel', open: true }, h('summary', null, h('h2', null, 'Make trouble')), troublePanel()),
    h('div', { class: 'three' },
      h('section', { class: 'pc' }, h('h2', null, 'Partner Center'), h('div', { class: 'row' }, h('span', { class: 'quiet' }, 'As Microsoft:'), actButton('Send a co-sell referral', { act: 'refer', kind: 'cosell' }), actButton('Send a lead', { act: 'refer', kind: 'lead' })), scroller('Referrals in Partner Center', boxes.pc)),
      h('section', { class: 'mid' }, h('div', { class: 'row between' }, h('h2', null, 'What happens'), pause), h('p', { class: 'quiet' }, 'Newest first.'), scroller('Events', boxes.events)),
      h('section', { class: 'crm' }, h('h2', null, crmName(about.crm)), h('div', { class: 'row' }, h('span', { class: 'quiet' }, 'As seller:'), actButton('New deal', { act: 'deal' })), scroller('Deals and leads in the CRM', boxes.crm))));
  showTour(boxes.tour);
}

let refreshWorld = () => {};

/** At once, for whoever has just done something. */
async function readWorld(boxes, signal) {
  try {
    const answer = object(await call('api/local', undefined, signal));
    if (answer.now) ahead.ms = Date.parse(answer.now) - Date.now();
    takeWorld(boxes, answer);
  } catch (error) {
    if (!signal.aborted && !boxes.trouble.firstChild) fill(boxes.trouble, failure(error, () => readWorld(boxes, signal)));
  }
}

function takeWorld(boxes, answer) {
  world = { partner_center: list(answer.partner_center).map(object), crm: list(answer.crm).map(object), events: list(answer.events).map(object) };
  showWorld(boxes);
  if (boxes.trouble.firstChild) fill(boxes.trouble);
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

/** The deal an event is about, by its name; its id says nothing to anybody. */
function dealOf(about) {
  if (!about) return [];
  const record = String(about).split('/').at(-1);
  const name = pcItem(about)?.name ?? crmItem(record)?.name;
  return [' · ', h('a', { href: dealHref(about) }, name ?? 'the deal')];
}

const withoutId = (e) => text(e.text).replace(e.about ? ` (${e.about})` : '', '');

function eventRow(e) {
  const kind = { parked: 'warn', decision: 'good', you: 'info' }[e.kind] ?? '';
  const word = { nothing: 'nothing to do' }[e.kind] ?? sideName(e.kind);
  return h('li', { class: `event ${e.kind === 'nothing' ? 'quiet' : ''}` }, h('time', { datetime: e.at, title: e.at }, e.at ? clock(e.at) : DASH), chip(word, kind), h('span', null, rich(withoutId(e)), ...dealOf(e.about)));
}

async function localAct(body, from) {
  if (from?.getAttribute('aria-busy') === 'true') return null;
  from?.setAttribute('aria-busy', 'true');
  try {
    const answer = object(await call('api/local', body));
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
    actButton('Kill the writer', { act: 'kill_writer' }), both, actButton('Import 200 rows', { act: 'import' }), actButton('Complete the imported rows', { act: 'complete' }), actButton('Mend everything', { act: 'mend' }, { class: 'small primary' }));
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
