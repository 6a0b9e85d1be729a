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
    command: { command: 'retry', filter: group.cause }, before: () => parkedNow().catch(() => null), after: (body, dialog, before) => healing(body, dialog, before, group.cause),
  });
}

const PATIENCE = 60;

/** What was sent is not healed yet: a deal is healed once the decision about it has taken it off every list of what is parked. */
async function healing(body, dialog, before, cause) {
  const word = h('p', { role: 'status' });
  body.append(word);
  for (let n = 0; n < PATIENCE && dialog.open && dialog.isConnected; n += 1) {
    await new Promise((resolve) => { setTimeout(resolve, 2000); });
    const now = await parkedNow().catch(() => null);
    if (!now) { word.textContent = 'What came of it is not known: the list of what is parked could not be read. It is asked for again.'; continue; }
    word.textContent = outcome(before, now, cause);
    if (!now.get(cause)) return announce(word.textContent);
  }
  return null;
}

/** How many are parked for each cause; `null`: that was not told. */
async function parkedNow() {
  const { ok, data } = await admin({ command: 'parked' });
  const { groups } = object(data);
  return ok && Array.isArray(groups) ? new Map(groups.map(object).map((group) => [group.cause, Number(group.count) || 0])) : null;
}

/** What is parked for other causes by more than before may be these deals: it is not called healed. */
function outcome(before, now, cause) {
  const left = now.get(cause) ?? 0;
  const all = Math.max(before?.get(cause) ?? 0, left);
  if (!before || !all) return left ? `${count(left)} still parked for this cause.` : 'Nothing is parked for this cause any more; whether it is for another was not seen.';
  const gone = all - left;
  const others = [...now].filter(([other]) => other !== cause).map(([other, n]) => Math.max(0, n - (before.get(other) ?? 0)));
  const moved = Math.min(gone, others.reduce((sum, n) => sum + n, 0));
  if (moved) return `${count(gone)} of ${count(all)} no longer parked for this cause, ${count(moved)} still parked for another, ${count(gone - moved)} healed${left ? `, ${count(left)} still parked for this one` : ''}.`;
  return left ? `${count(gone)} of ${count(all)} healed, ${count(left)} still parked.` : `All ${count(all)} healed: nothing of this cause is parked any more.`;
}
