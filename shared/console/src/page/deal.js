// deal.js: one deal: both sides field by field, its decisions, what can be done.

import {
  DASH, about, actor, admin, asCommand, button, call, chip, confirmAct, copyButton, count, dealHref, fill, h, heading, isObject, kept,
  list, load, object, reportLines, rich, sideName, stamp, stateChips, table, text, title, when,
} from './kit.js';
import { planned } from './plan.js';

export function dealView(main, path) {
  const id = path.join('/');
  const target = id.includes('/') ? { record: id } : { referral: id };
  const command = { command: 'explain', ...target, sides: 'yes' };
  const box = h('div');
  const known = list(kept.deals?.rows).find((d) => d.referral === id || d.record === id);
  const head = heading(known?.name ?? 'Deal', button('Read again', () => read()));
  const read = () => load(box, async (signal) => [await admin(command, signal), await quietOnes(signal)], ([report, quiet]) => dealShown(report, target, known, head, command, quiet));
  main.append(head, box);
  read();
}

/** A local run knows each decision that nothing had to be done; what it does not say any more is no fault. */
async function quietOnes(signal) {
  if (about.mode !== 'local') return [];
  const state = object(await call('api/local', undefined, signal).catch(() => null));
  return list(state.events).map(object).filter((e) => e.kind === 'nothing').map((e) => ({ at: e.at, about: e.about, decision: 'nothing to do', text: e.text }));
}

function dealShown({ ok, lines, data }, target, known, head, command, quiet) {
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
    ok && !found && notKept(target),
    d.link && dealActs(ids, Object.keys(object(link.parked))),
    fields.length > 0 && fieldsShown(fields, object(object(d.sides).shown)),
    found && h('section', null, h('h2', null, 'Decisions, and why nothing happened'), timelineShown([...list(d.timeline), ...list(d.nothing), ...quiet.filter((e) => e.about === ids.referral || e.about === ids.record)])),
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
  const which = ids.referral ? { referral: ids.referral } : { record: ids.record };
  const retry = { command: 'retry', filter: ids.referral ?? ids.record };
  const act = (name, says, command, preview, danger) => actor(`${name}…`, () => confirmAct({ title: name, says, command, danger, preview, label: `Confirm: ${name.toLowerCase()}` }), { class: danger ? 'danger' : null });
  const plan = (name, says, command) => actor(`${name}…`, () => planned({ title: name, says, command, label: `Confirm: ${name.toLowerCase()}` }));
  return h('div', { class: 'row acts', role: 'group', 'aria-label': 'Acts' },
    act('Look now', 'The connector reads both sides of this deal now and writes what is due.', { command: 'look', ...which }, which),
    parked.length > 0 && plan('Retry', `Parked in this deal: ${parked.map((unit) => (unit === '*' ? 'the whole deal' : unit)).join(', ')}. The connector tries again.`, retry),
    ids.referral && plan('Relink', 'A detached deal looks for its record again; then both sides are compared.', { command: 'relink', referral: ids.referral }),
    act('Disconnect', 'Sync with Partner Center is set to No at the record. Both sides stay as they are, and nothing goes either way until a seller sets it to Yes again.', { command: 'disconnect', ...which }, null, true));
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
  if (f.parked) words.push([chip('parked', 'warn'), h('div', { class: 'quiet' }, rich(f.parked))]);
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
  if (/^nothing/.test(decision)) return 'quiet';
  if (/park|fail|refus|conflict|stop|fault/i.test(decision)) return 'warn';
  return /creat|updat|link|wrote|written/i.test(decision) ? 'good' : '';
}
