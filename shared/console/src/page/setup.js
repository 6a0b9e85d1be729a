// setup.js: is it set up as it should be, and what to do if not.

import {
  DASH, actor, admin, ago, ahead, announce, asCommand, button, chip, confirmAct, fill, h, heading, list, load, object, reportLines, rich,
  stamp, text, when,
} from './kit.js';
import { planned } from './plan.js';

const FIRST = 8;
const PARTS = {
  partner_center: 'Partner Center', registration: 'Webhook registration', crm: 'CRM', pace: 'Pace', queues: 'Queues and what is parked',
  token: 'Refresh token', certificate: "Webhook's certificate", clocks: 'Clocks',
};

export function setupView(main) {
  const box = h('div');
  const doctor = () => load(box, (signal) => admin({ command: 'doctor' }, signal), doctorShown);
  main.append(heading('Set-up', button('Run doctor again', doctor)), box,
    h('section', null, h('h2', null, 'Further checks'), runner('selftest', 'Run selftest'), runner('watch', 'Run watch')),
    h('section', null, h('h2', null, 'Backfill'), backfill()));
  doctor();
}

function doctorShown({ lines, data }) {
  const checks = list(object(data).checks).map(object);
  if (!checks.length) return [reportLines(lines), asCommand({ command: 'doctor' })];
  const parts = [];
  let at = 0;
  for (const { part, lines: n } of checks) { parts.push([part, lines.slice(at, at + n)]); at += n; }
  return [h('p', { class: 'strong' }, doctorSentence(lines)), parts.map(([part, own]) => partShown(part, own)), deadlinesShown(list(object(data).deadlines).map(object)), asCommand({ command: 'doctor' })];
}

function doctorSentence(lines) {
  const n = (level) => lines.filter((line) => line?.level === level).length;
  if (!n('fault') && !n('warning')) return 'Everything is set up as it should be.';
  return [n('fault') && `${n('fault')} to mend`, n('warning') && `${n('warning')} to look at`].filter(Boolean).join(', ');
}

/** One part of `doctor`, which can be asked again by itself. */
function partShown(part, lines) {
  const body = h('div', null, reportLines(lines, 'Nothing to say.'));
  const name = PARTS[part] ?? text(part);
  const again = button('Again', () => load(body, (signal) => admin({ command: 'doctor', part }, signal), (report) => {
    announce(`${name}: ${doctorSentence(report.lines)}`);
    return reportLines(report.lines, 'Nothing to say.');
  }), { class: 'small', 'aria-label': `Check again: ${name}` });
  return h('section', { class: 'part' }, h('div', { class: 'row between' }, h('h2', null, name), again), body);
}

function deadlinesShown(deadlines) {
  if (!deadlines.length) return null;
  const soon = (at) => Date.parse(at) - Date.now() - ahead.ms < 14 * 86400000;
  const row = (one) => h('li', null, one.at ? chip(ago(one.at), soon(one.at) ? 'warn' : '') : chip('no date'),
    h('div', null, h('p', null, rich(one.what), one.at ? [': ', when(one.at, stamp), ' UTC'] : null), one.cure && h('p', { class: 'cure' }, rich(one.cure))));
  return h('section', null, h('h2', null, 'Deadlines'), h('ul', { class: 'lines' }, deadlines.slice(0, FIRST).map(row)),
    deadlines.length > FIRST && h('details', null, h('summary', null, `${deadlines.length - FIRST} later ones`), h('ul', { class: 'lines' }, deadlines.slice(FIRST).map(row))));
}

function runner(command, label) {
  const result = h('div');
  const run = () => load(result, (signal) => admin({ command }, signal), ({ ok, lines, data }) => {
    announce(ok ? `${command}: well.` : `${command}: see the lines.`, ok ? '' : 'fault');
    return [traceShown(list(object(data).trace).map(object)), reportLines(lines)];
  });
  return h('div', { class: 'runner' }, h('div', { class: 'row' }, actor(label, run), asCommand({ command })), result);
}

/** Each check on a test event's way. */
function traceShown(steps) {
  if (!steps.length) return null;
  return h('section', null, h('h3', null, "The test event's way, check by check"), h('ol', { class: 'timeline' }, steps.map((step) => h('li', null,
    chip(step.ok ? '✓ holds' : 'fails', step.ok ? 'good' : 'fault'), h('strong', null, text(step.check)), h('span', null, rich(step.text))))));
}

function backfill() {
  const result = h('div');
  const status = () => load(result, (signal) => admin({ command: 'backfill', action: 'status' }, signal), ({ lines, data }) => [walkShown(object(data)), reportLines(lines)]);
  const start = () => planned({ title: 'Start a backfill', label: 'Start', says: 'The connector goes through all referrals and deals once; what differs is settled as if it had changed today.', command: { command: 'backfill', action: 'start' } });
  const stop = () => confirmAct({ title: 'Stop the backfill', label: 'Stop it', says: 'The backfill that runs is ended where it is.', command: { command: 'backfill', action: 'stop' } });
  fill(result);
  return [h('div', { class: 'row' }, button('Status', status), actor('Start…', start), actor('Stop…', stop)), result];
}

function walkShown(data) {
  if (data.done === undefined) return null;
  return h('p', null, chip(data.done ? 'over' : 'under way', data.done ? 'good' : 'info'), ` ${text(data.sent ?? DASH)} hints sent in ${text(data.pages ?? DASH)} pages`);
}
