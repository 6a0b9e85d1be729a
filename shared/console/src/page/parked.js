// parked.js: what is parked, one card for each cause.

import {
  DASH, actor, admin, announce, asCommand, button, count, h, heading, list, load, object, plural, redrive,
  reportLines, rich, stamp, when,
} from './kit.js';
import { idLink, planned } from './plan.js';

export function parkedView(main) {
  const box = h('div');
  const read = () => load(box, (signal) => admin({ command: 'parked' }, signal), ({ lines, data }) => {
    const groups = list(object(data).groups).map(object);
    const trouble = lines.filter((line) => line?.level !== 'ok');
    if (!Array.isArray(object(data).groups)) return [h('p', { class: 'notice' }, 'The connector gave no list.'), reportLines(lines)];
    return [trouble.length > 0 && reportLines(trouble), groups.length ? groups.map(groupCard) : h('p', { class: 'notice' }, 'Nothing is parked.')];
  });
  main.append(heading('Parked', button('Read again', read)), h('p', { class: 'quiet' }, 'Parked: kept and tried again, waiting for someone. One card for each cause.'), box);
  read();
}

function groupCard(group) {
  const ids = list(group.ids).map(String);
  return h('section', { class: 'card' },
    h('h2', null, h('span', { class: 'number' }, count(group.count)), ' ', rich(group.cause)),
    group.cure && h('p', { class: 'cure' }, 'Cure: ', rich(group.cure)),
    h('p', { class: 'quiet' }, `${Number.isFinite(group.attempts) ? plural(group.attempts, 'attempt') : DASH} · next try `, group.next_try ? [when(group.next_try), ` (${stamp(group.next_try)} UTC)`] : DASH),
    ids.length > 0 && h('details', { open: ids.length <= 8 }, h('summary', null, idsLabel(group, ids)), h('ul', { class: 'id-list' }, ids.map((id) => h('li', null, idLink(id))))),
    group.messages && h('div', { class: 'row' }, actor('Redrive…', redrive)),
    !group.messages && ids.length > 0 && h('div', { class: 'row' }, actor(`Retry all ${count(group.count)}…`, () => retryAll(group)), asCommand({ command: 'retry', filter: group.cause })));
}

const idsLabel = (group, ids) => (group.count > ids.length ? `The first ${count(ids.length)} ids` : plural(ids.length, 'id'));

function retryAll(group) {
  planned({
    title: 'Retry all of these', says: `Each of them is tried again now: ${group.cause}`, label: `Retry ${count(group.count)}`,
    command: { command: 'retry', filter: group.cause }, after: (body, plan, dialog) => healing(body, plan, dialog, group),
  });
}

const PATIENCE = 60;

/** What was sent is not healed yet: a deal is healed once the decision about it has taken it off the list. */
async function healing(body, plan, dialog, group) {
  const word = h('p', { role: 'status' });
  body.append(word);
  for (let n = 0; n < PATIENCE && dialog.open && dialog.isConnected; n += 1) {
    await new Promise((resolve) => { setTimeout(resolve, 2000); });
    const left = await stillThere(group.cause).catch(() => null);
    if (left === null) continue;
    const healed = Math.max(0, plan.count - left);
    word.textContent = left ? `${count(healed)} of ${count(plan.count)} healed, ${count(left)} still parked.` : `All ${count(plan.count)} healed: nothing of this cause is parked any more.`;
    if (!left) return announce(word.textContent);
  }
  return null;
}

async function stillThere(cause) {
  const { data } = await admin({ command: 'parked' });
  return list(object(data).groups).find((group) => group?.cause === cause)?.count ?? 0;
}
