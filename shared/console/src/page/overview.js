// overview.js: is it well? One sentence, then the numbers behind it.

import {
  DASH, about, actor, admin, ahead, announce, chip, count, crmName, dealHref, failure, follow, h, heading, isObject, list,
  load, object, pauseButton, plural, redrive, refill, reportLines, rich, sideName, span, stamp, svg, table, text, when,
} from './kit.js';

export function overviewView(main) {
  const box = h('div', null, h('p', { class: 'quiet loading' }, 'Loading…'));
  let said = null;
  const show = (report) => {
    const now = Date.parse(object(report.data).now);
    if (Number.isFinite(now)) ahead.ms = now - Date.now();
    refill(box, overviewShown({ ok: report.ok !== false, lines: list(report.lines), data: report.data }));
    const sentence = object(report.data).sentence ?? null;
    if (said !== null && sentence !== null && calmly(sentence) !== calmly(said)) announce(sentence);
    said = sentence;
  };
  const live = follow('overview', show, (error) => refill(box, failure(error, () => load(box, (signal) => admin({ command: 'overview' }, signal), overviewShown))));
  main.append(heading('Overview', pauseButton((paused) => live.pause(paused))), h('p', { class: 'quiet' }, 'Read again every 15 seconds.'), box);
}

/** Without what changes by itself. */
const calmly = (sentence) => sentence.replace(/\d+/g, '');

function overviewShown({ ok, lines, data }) {
  const o = object(data);
  const look = lines.filter((line) => line?.level !== 'ok');
  if (!isObject(data)) return [h('p', { class: 'notice' }, 'The connector gave no overview.'), reportLines(look)];
  const calm = ok && !look.length;
  return [
    h('p', { class: `sentence ${calm ? 'good' : 'warn'}` }, text(o.sentence ?? (calm ? null : 'Somebody should look.'))),
    h('p', { class: 'quiet' }, 'As of ', when(o.now, stamp), o.now ? ' UTC' : '', ` · ${crmName(o.crm ?? about.crm)}`),
    h('section', null, h('h2', null, look.length ? 'What should be looked at, and how' : 'What should be looked at'), reportLines(look, 'Nothing.')),
    dealTiles(object(o.deals)),
    h('div', { class: 'tiles' },
      tile('Messages waiting', o.waiting),
      tile('Parked', o.parked, '#/parked', o.parked > 0 && 'warn'),
      tile('Dead letters', o.dead, null, o.dead > 0 && 'fault', o.dead > 0 && actor('Redrive…', redrive, { class: 'small' }))),
    factsShown(o),
    chartsShown(list(o.history).map(object)),
    h('div', { class: 'two' },
      h('section', null, h('h2', null, 'Read from the systems'), partsShown(list(o.parts))),
      h('section', null, h('h2', null, 'Holds'), holdsShown(list(o.holds)))),
  ];
}

/** What is known of the last time each thing happened. */
function factsShown(o) {
  const seen = object(o.seen);
  const waits = object(o.oldest_waiting);
  const facts = [
    ['Last tick of the poller', o.tick_under_way ? 'under way' : when(o.last_tick)],
    ['Newest change seen of Partner Center', when(seen.partner_center)],
    ['Newest change seen of the CRM', when(seen.crm)],
    ['Oldest deal that waits', waits.referral ? [h('a', { href: dealHref(waits.referral) }, text(waits.name ?? waits.referral)), ', since ', when(waits.since)] : 'none'],
    ['Refresh token stored', Number.isFinite(o.token_age) ? `${span(Math.max(0, o.token_age))} ago` : DASH],
    ['Field map', [o.map_version > 0 ? `version ${o.map_version} laid over the default` : 'the default, nothing laid over it', ' (', h('code', { title: o.map }, text(o.map).slice(0, 12)), ') ', h('a', { href: '#/map' }, 'mapping')]],
  ];
  return h('dl', { class: 'facts' }, facts.map(([label, value]) => h('div', null, h('dt', null, label), h('dd', null, value))));
}

/* ---------- charts ---------- */

const CHARTS = [
  ['parked', 'Parked', count],
  ['waiting', 'Messages waiting', count],
  ['dead', 'Dead letters', count],
  ['sweep_lag', 'Last sweep of Partner Center', (n) => `${span(Math.max(0, n))} ago`],
];
const WIDE = 240;
const HIGH = 48;
const ROWS = 24;

function chartsShown(history) {
  if (history.length < 2) return h('p', { class: 'quiet' }, 'The charts of the last 24 hours begin with the second look of the schedule.');
  const hours = (Date.parse(history.at(-1).at) - Date.parse(history[0].at)) / 3600000;
  const length = hours >= 1.5 ? plural(Math.round(hours), 'hour') : plural(Math.max(1, Math.round(hours * 60)), 'minute');
  return h('section', null, h('h2', null, `The last ${length}`),
    h('div', { class: 'charts' }, CHARTS.map((chart) => chartShown(chart, history, length))),
    h('details', null, h('summary', null, 'The same as a table'), historyTable(history)));
}

function chartShown([key, label, words], history, length) {
  const samples = history.map((one) => [Date.parse(one.at), one[key]]).filter(([, n]) => Number.isFinite(n));
  if (!samples.length) return h('figure', null, h('figcaption', null, label), h('p', { class: 'quiet' }, 'Not measured.'));
  const numbers = samples.map(([, n]) => n);
  const [least, most, last] = [Math.min(...numbers), Math.max(...numbers), numbers.at(-1)];
  const range = least === most ? `always ${words(most)}` : `between ${words(least)} and ${words(most)}, now ${words(last)}`;
  return h('figure', null, h('figcaption', null, h('span', null, label), ' ', h('strong', null, words(last))), drawing(samples, Math.max(most, 1), `${label} in the last ${length}: ${range}.`),
    h('p', { class: 'quiet' }, least === most ? 'steady' : `${words(least)} to ${words(most)}`));
}

function drawing(samples, most, sentence) {
  const [from, to] = [samples[0][0], samples.at(-1)[0]];
  const x = (at) => (to > from ? ((at - from) / (to - from)) * WIDE : 0);
  const y = (n) => HIGH - 2 - (Math.max(0, n) / most) * (HIGH - 6);
  const line = samples.map(([at, n]) => `${x(at).toFixed(1)},${y(n).toFixed(1)}`);
  return svg('svg', { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': sentence, class: 'chart' },
    svg('polygon', { class: 'area', points: `0,${HIGH} ${line.join(' ')} ${x(to).toFixed(1)},${HIGH}` }),
    svg('polyline', { class: 'line', points: line.join(' ') }));
}

/** The highest of each part of the time, newest first. */
function historyTable(history) {
  const size = Math.ceil(history.length / ROWS);
  const parts = [];
  for (let end = history.length; end > 0; end -= size) parts.push(history.slice(Math.max(0, end - size), end));
  const highest = (part, key) => Math.max(...part.map((one) => one[key]).filter(Number.isFinite));
  return table('The numbers of the charts, the highest of each part of the time', ['Until', ...CHARTS.map(([, label]) => label)], parts.map((part) => h('tr', null,
    h('th', { scope: 'row' }, when(part.at(-1).at, stamp)),
    CHARTS.map(([key, , words]) => h('td', null, Number.isFinite(highest(part, key)) ? words(highest(part, key)) : DASH)))));
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
