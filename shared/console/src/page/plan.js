// plan.js: an act is shown first, then done as it was shown: nothing else, and nothing that has moved since.

import {
  admin, announce, asCommand, button, chip, count, dealHref, fill, h, isObject, jsonDisclosure, list, load, object, openDialog,
  plural, reportLines, rich, text, whole,
} from './kit.js';

/** So many deals are sent at once: between two the progress moves, and somebody may stop. */
const AT_ONCE = 20;
const LISTED = 200;
const isDeal = (id) => whole(id) || /^(opportunity|lead)\/./.test(id);
export const idLink = (id) => (isDeal(id) ? h('a', { href: dealHref(id) }, id) : h('code', null, id));

/** `command` is shown as a plan, asked for, and done. `before()`: what is noted first; `after(body, dialog, noted)`: what is followed then. */
export async function planned({ title, says, command, label, danger, before, after }) {
  const shown = h('div', { class: 'preview' });
  const { dialog, body, foot, refresh, close } = openDialog(title, h('p', null, says), shown, asCommand(command));
  let plan = null;
  const confirm = button(label, () => run(), { class: danger ? 'danger' : 'primary', disabled: true });
  const cancel = button('Cancel', close);
  fill(foot, cancel, confirm);
  cancel.focus();
  await load(shown, (signal) => admin({ ...command, preview: 'yes' }, signal), (report) => {
    plan = report.ok ? object(object(report.data).plan) : null;
    confirm.disabled = !plan?.map || (plan.command === 'retry' && !list(plan.deals).length);
    return planShown(report, plan);
  });

  async function run() {
    refresh();
    const bar = progress(list(plan.deals).length);
    body.append(bar.box);
    fill(foot, button(bar.length ? 'Stop here' : 'Close', close));
    foot.firstChild.focus();
    const noted = before && await before();
    const done = await sendAll(bar, dialog);
    fill(foot, button('Close', close));
    if (dialog.open) foot.firstChild.focus();
    if (done && after && dialog.open) await after(body, dialog, noted);
  }

  /** What a plan names goes in portions; one without deals goes whole. */
  async function sendAll(bar, within) {
    const { action, map: toml, version } = command;
    const base = { command: command.command, ...(action && { action }), ...(toml !== undefined && { map: toml }), ...(version && { version }) };
    const portions = bar.length ? portionsOf(list(plan.deals)) : [undefined];
    for (const deals of portions) {
      if (!within.open || !within.isConnected) { announce(`Stopped: ${bar.words()}.`); return false; }
      try {
        const report = await admin({ ...base, plan: { ...plan, ...(deals && { deals }) } });
        bar.add(report, deals?.length ?? 0);
        if (!report.ok && !deals) return false;
        if (!report.ok && /map has changed/.test(report.lines.map((line) => line?.text).join())) return false;
      } catch (error) {
        bar.failed(error);
        return false;
      }
    }
    announce(`${title}: ${bar.words()}.`);
    return true;
  }
}

function portionsOf(deals) {
  const portions = [];
  for (let i = 0; i < deals.length; i += AT_ONCE) portions.push(deals.slice(i, i + AT_ONCE));
  return portions;
}

function progress(length) {
  const bar = length ? h('progress', { max: length, value: 0, 'aria-label': 'Done of the plan' }) : null;
  const word = h('p', { class: 'strong' });
  const results = h('div', { class: 'results' });
  const sums = { sent: 0, out: 0, failed: 0, gone: 0 };
  const words = () => (length ? `${count(sums.gone)} of ${count(length)}: ${count(sums.sent)} sent, ${count(sums.out)} left out${sums.failed ? `, ${count(sums.failed)} failed` : ''}` : 'done');
  if (length) word.textContent = words();
  return {
    box: h('div', null, bar, word, results), length, words,
    add(report, n) {
      const data = object(report.data);
      sums.gone += n;
      sums.sent += Number(data.sent) || 0;
      sums.out += list(data.left_out).length;
      if (!report.ok) sums.failed += n;
      if (bar) { bar.value = sums.gone; word.textContent = words(); }
      const worth = length ? report.lines.filter((line) => line?.level !== 'ok') : report.lines;
      if (worth.length) results.append(reportLines(worth));
      if (!length) word.textContent = report.ok ? 'Done' : 'Not done';
    },
    failed(error) { results.append(reportLines([{ level: 'fault', text: error.message }])); },
  };
}

function planShown(report, plan) {
  const data = object(report.data);
  const deals = list(plan?.deals).map(object);
  const trouble = report.lines.filter((line) => line?.level !== 'ok');
  return [
    h('h3', null, sentence(data, plan, deals)),
    trouble.length > 0 && reportLines(trouble),
    deals.length > 0 && h('details', { open: deals.length <= 6 }, h('summary', null, plural(deals.length, 'deal')), h('ul', { class: 'id-list' }, deals.slice(0, LISTED).map((deal) => h('li', null, idLink(text(deal.id)), ' ', writesChip(deal.writes)))),
      deals.length > LISTED && h('p', { class: 'quiet' }, `and ${count(deals.length - LISTED)} more`)),
    plan && plan.count > deals.length && deals.length > 0 && h('p', null, `The group holds ${count(plan.count)}. A plan names ${count(deals.length)} at most: plan again once these are done.`),
    isObject(data) && changesShown(data),
    !plan && h('p', null, 'Nothing can be done with this.'),
  ];
}

function sentence(data, plan, deals) {
  if (!plan) return 'This cannot be done.';
  if (data.looked_at > 0 && deals.length) {
    const of = data.looked_at < plan.count ? `Of ${count(data.looked_at)} looked at (of ${count(plan.count)} in all), ` : 'Of ';
    return `${of}${of === 'Of ' ? `${count(plan.count)}, ` : ''}${count(data.would_write)} would write, ${count(data.would_change_nothing)} would change nothing.`;
  }
  if (deals.length) return `${plural(plan.count, 'deal')}.`;
  return plan.command === 'retry' ? 'Nothing is parked here any more.' : 'Nothing has been done yet.';
}

function writesChip(writes) {
  if (!Number.isFinite(writes)) return null;
  return writes > 0 ? chip(`would write: ${count(writes)}`, 'info') : chip('would change nothing');
}

/** What another map would change: in all deals by field, then deal by deal. */
export function changesShown(data) {
  const part = (label, group) => {
    const entries = Object.entries(object(group));
    return entries.length > 0 && [h('h3', null, label), h('ul', null, entries.map(([key, n]) => h('li', null, `${key}: ${plural(n, 'deal')}`)))];
  };
  const deals = list(data.deals).map(object);
  const looked = Number.isFinite(data.looked_at) && data.of !== undefined;
  return [looked && h('p', null, `Looked at ${count(data.looked_at)} of ${plural(data.of, 'deal')}.`),
    part('Would be compared anew', data.compared_anew), part('Would be written', data.would_write),
    deals.length > 0 && [h('h3', null, 'Deal by deal'), h('ul', { class: 'differences' }, deals.map(differenceShown))],
    looked && !deals.length && h('p', null, 'No deal that was looked at would be written.')];
}

function differenceShown(deal) {
  return h('li', null, h('a', { href: dealHref(deal.referral ?? '') }, text(deal.name ?? deal.referral)),
    h('ul', null, list(deal.writes).map((write) => h('li', null, rich(write?.what), jsonDisclosure(write?.data)))));
}
