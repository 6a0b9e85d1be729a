// map.js: the field map: its override, what it would change, its history.

import {
  about, actor, admin, announce, button, confirmAct, h, heading, list, load, object, read, reportLines, stamp, text, when,
} from './kit.js';
import { changesShown, planned } from './plan.js';

export function mapView(main) {
  const editor = h('div');
  const past = h('div');
  main.append(heading('Mapping'), h('p', { class: 'quiet' }, 'The override is laid over the default map. Check it first; only a text that was checked without a fault can be set.'), editor, h('h2', null, 'History'), past);
  load(editor, (signal) => read({ command: 'map', action: 'show' }, signal), mapEditor);
  load(past, (signal) => read({ command: 'map', action: 'history' }, signal), ({ data, lines }) => mapHistory(list(data), lines));
}

function mapEditor({ data, lines }) {
  const active = object(data);
  let checked = null;
  const allow = () => { set.disabled = about.may === 'look' || area.value !== checked; };
  const area = h('textarea', { id: 'map-text', rows: 18, spellcheck: 'false', value: active.map ?? '', oninput: () => { allow(); } });
  const result = h('div', { class: 'check-result' });
  const everywhere = () => load(result, (signal) => admin({ command: 'map', action: 'check', map: area.value, all: 'yes' }, signal), (report) => [h('h2', null, 'What would change'), checkLines(report.lines, area), changesShown(object(report.data))]);
  const set = actor('Set…', () => setMap(area.value), { class: 'primary', disabled: true });
  const check = () => {
    const toml = area.value;
    load(result, (signal) => admin({ command: 'map', action: 'check', map: toml }, signal), (report) => {
      const clean = report.ok && !report.lines.some((line) => line?.level === 'fault');
      checked = clean ? toml : null;
      allow();
      announce(clean ? 'Checked: no fault.' : 'Checked: there are faults.', clean ? '' : 'fault');
      return [h('h2', null, clean ? 'Checked: no fault' : 'Checked: faults'), checkLines(report.lines, area), changesShown(object(report.data))];
    });
  };
  return [lines.some((line) => line?.level !== 'ok') && reportLines(lines),
    h('p', null, active.map ? `Active: version ${text(active.version)}.` : 'The default map is active; nothing is laid over it.'),
    h('div', { class: 'field' }, h('label', { for: 'map-text' }, 'Override (TOML)'), area),
    h('div', { class: 'row' }, button('Check', check), button('What would change in all deals', everywhere), set, h('span', { class: 'quiet' }, 'Set is open after a check without a fault of exactly this text.')), result];
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

/** The plan is what would change in every deal that time allows; what is set is exactly that text over exactly this map. */
function setMap(toml) {
  planned({
    title: 'Set the map', label: 'Set', command: { command: 'map', action: 'set', map: toml },
    says: 'This text becomes the active override. Below is what it would change in the deals that are linked now; nothing is written yet.',
  });
}

function mapHistory(versions, lines) {
  if (!versions.length) return reportLines(lines.filter((line) => line?.level !== 'ok'), 'No override was ever set.');
  const newest = versions.map(object).sort((a, b) => Number(b.version) - Number(a.version));
  return h('ul', { class: 'history' }, newest.map((v) => h('li', { class: 'card' },
    h('div', { class: 'row between' }, h('span', null, h('strong', null, `Version ${text(v.version)}`), ' ', when(v.at, stamp)),
      actor('Roll back…', () => confirmAct({ title: `Roll back to version ${text(v.version)}`, says: 'The text of this version becomes the active override.', label: 'Roll back', command: { command: 'map', action: 'rollback', version: v.version }, detail: h('pre', null, text(v.toml)) }), { 'aria-label': `Roll back to version ${text(v.version)}` })),
    h('details', null, h('summary', null, 'Show'), h('pre', null, text(v.toml))))));
}
