// app.js: the operator's page of the co-sell connector; which view is shown.

import { about, byId, call, crmName, fill, h, load, newView, object, removeDialog, text, title, view } from './kit.js';
import { overviewView } from './overview.js';
import { dealsView } from './deals.js';
import { dealView } from './deal.js';
import { parkedView } from './parked.js';
import { mapView } from './map.js';
import { setupView } from './setup.js';
import { localView } from './local.js';

const VIEWS = {
  local: ['Local run', localView], overview: ['Overview', overviewView], deals: ['Deals', dealsView], deal: [null, dealView],
  parked: ['Parked', parkedView], map: ['Mapping', mapView], setup: ['Set-up', setupView],
};

function route() {
  newView();
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
    Object.assign(about, object(await call('api/about', undefined, signal)));
    return about;
  }, () => {
    byId('where').textContent = `${text(about.name)} · ${crmName(about.crm)}${about.may === 'look' ? ' · only looking' : ''}`;
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
