// What a person does on the page, step by step; each step says what it saw.
import { readFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const { BROWSER, CRM, LOG, SCREENSHOTS } = process.env;
const AXE = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const PICTURES = 'shared/console/screenshots';
const VIEWS = ['local', 'overview', 'deals', 'parked', 'map', 'setup'];
const HTML = '<img src=x onerror=alert(1)> & "Sons"';

let failed = 0;
const wrong = [];

/** One step; what fails is told and the next one goes on. */
async function step(name, play) {
  const began = Date.now();
  try {
    await play();
    console.log(`ok    ${CRM}: ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    failed += 1;
    await page.screenshot({ path: `target/browser/fault-${CRM}-${failed}.png`, fullPage: true });
    console.log(`FAULT ${CRM}: ${name}: ${String(error.message).split('\n').slice(0, 4).join(' ')}`);
  }
}

function holds(so, words) {
  if (!so) throw new Error(words);
}

/** The addresses that the local run prints. */
async function addresses() {
  for (let n = 0; n < 300; n += 1) {
    const log = readFileSync(LOG, 'utf8');
    const page = log.match(/http:\/\/127\.0\.0\.1:\d+\/\?token=\w+/);
    const vendor = log.match(/Partner Center +(http:\/\/127\.0\.0\.1:\d+)/);
    if (page && vendor) return { page: page[0], partnerCenter: vendor[1] };
    await pause(100);
  }
  throw new Error('the local run did not start');
}

async function to(page, view) {
  await page.evaluate((hash) => { location.hash = hash; }, `#/${view}`);
  await page.locator('h1').first().waitFor();
  await pause(400);
}

async function accessible(page, view, rules) {
  await page.evaluate(AXE);
  const found = await page.evaluate((only) => globalThis.axe.run(document, only ? { runOnly: only } : {}), rules);
  const told = found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 120)}`);
  holds(told.length === 0, `${view}: ${told.join('; ')}`);
}

async function picture(page, name) {
  if (SCREENSHOTS !== '--screenshots' || CRM !== 'dynamics365') return;
  mkdirSync(PICTURES, { recursive: true });
  // What was announced a moment ago would stand in the picture.
  await page.evaluate(() => { window.scrollTo(0, 0); document.getElementById('live').className = 'live'; });
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
}

const trouble = (page, words) => page.getByRole('button', { name: words, exact: true }).click();

async function toured(page) {
  await to(page, 'local');
  for (let n = 0; n < 7; n += 1) {
    const one = page.locator('.tour li').nth(n);
    await one.locator('button').click();
    await one.getByText('✓ happened').waitFor({ timeout: 20_000 });
  }
}

const accept = (id) => fetch('api/local', {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ act: 'accept', id }),
});

/** Both sides of every linked deal show the same amount. */
async function agreed(page) {
  let apart = [];
  for (let n = 0; n < 60; n += 1) {
    const world = await page.evaluate(() => fetch('api/local').then((answer) => answer.json()));
    const linked = world.crm.filter((deal) => deal.referral_id && deal.table === 'opportunities');
    apart = linked.filter((deal) => {
      const there = world.partner_center.find((one) => one.id === deal.referral_id);
      return there && Number(there.deal_value) !== Number(deal.deal_value);
    });
    if (linked.length > 0 && apart.length === 0) return;
    // What a seller edits before a referral is accepted waits for that: it goes once it is.
    for (const { referral_id: id } of apart) {
      const there = world.partner_center.find((one) => one.id === id);
      if (there.status === 'New') await page.evaluate(accept, id);
    }
    await pause(1000);
  }
  throw new Error(`both sides do not agree: ${JSON.stringify(apart)}`);
}

async function troubled(page, partnerCenter) {
  await to(page, 'local');
  const buttons = [
    'Lose a webhook', 'Send a webhook twice', 'Tamper with a webhook', 'Throttle CRM', 'Throttle Partner Center',
    'Kill the writer', 'Edit both sides of a deal', 'Stop CRM', 'Stop Partner Center',
  ];
  for (const words of buttons) {
    await trouble(page, words);
    await page.getByRole('button', { name: 'Send a co-sell referral' }).click();
    await pause(900);
  }
  await trouble(page, 'Mend everything');
  // What a killed writer held comes back when the queue shows it again, six minutes later: the clock goes there.
  await fetch(`${partnerCenter}/_sim/clock`, { method: 'POST', body: JSON.stringify({ advance_seconds: 400 }) });
  await agreed(page);
}

async function mapped(page) {
  await to(page, 'map');
  const text = page.locator('#map-text');
  await text.fill('[switches]\ncheck_mark = false\n[fields.name]\nkind = "nonsense"\n');
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.getByText('Go to line 4').click();
  holds(await page.getByRole('button', { name: /^Set/ }).isDisabled(), 'a map with a fault cannot be set');
  await text.fill('[switches]\ncheck_mark = false\n');
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.getByText('Checked: no fault').first().waitFor({ timeout: 20_000 });
  await page.getByRole('button', { name: /^Set/ }).click();
  await page.locator('dialog .primary').click();
  await page.locator('dialog').getByText(/version 1 is in effect/).waitFor({ timeout: 20_000 });
  await page.keyboard.press('Escape');
}

/** What would change is shown deal by deal before it is set; an earlier version comes back by one button. */
async function rolledBack(page) {
  await to(page, 'map');
  const text = page.locator('#map-text');
  await text.fill('[fields.notes]\ndirection = "to_crm"\n');
  await page.getByRole('button', { name: 'What would change in all deals' }).click();
  await page.getByText(/Looked at \d+ of \d+ deals?|line 1/).first().waitFor({ timeout: 40_000 });
  await page.getByRole('button', { name: 'Roll back to version 1' }).click();
  await page.locator('dialog').getByText('check_mark').first().waitFor();
  await page.keyboard.press('Escape');
}

async function parked(page) {
  await to(page, 'local');
  await trouble(page, 'Import 200 rows');
  const group = page.locator('section.card', { hasText: /^\s*200 .*at least one is needed/ }).first();
  for (let n = 0; n < 8 && !(await group.isVisible()); n += 1) {
    await pause(4000);
    await to(page, n % 2 ? 'overview' : 'parked');
  }
  await to(page, 'parked');
  await group.waitFor();
  await picture(page, 'parked');
  // Not only the 50 that are listed; what would come of it is told before.
  await group.getByRole('button', { name: 'Retry all 200…' }).click();
  const dialog = page.locator('dialog');
  await dialog.getByText(/would change nothing\./).waitFor({ timeout: 40_000 });
  await picture(page, 'plan');
  await dialog.getByRole('button', { name: 'Retry 200' }).click();
  await dialog.getByText('200 of 200: 200 sent, 0 left out').first().waitFor({ timeout: 60_000 });
  await dialog.getByText(/200 still parked/).first().waitFor({ timeout: 60_000 });
  await accessible(page, 'the plan');
  await page.keyboard.press('Escape');
}

/** Who fills in what is missing need not tell anybody: the group closes itself. */
async function healed(page) {
  await to(page, 'local');
  await trouble(page, 'Complete the imported rows');
  const group = page.locator('section.card', { hasText: /at least one is needed/ });
  for (let n = 0; n < 20; n += 1) {
    await to(page, n % 2 ? 'overview' : 'parked');
    await pause(3500);
    if (n % 2 === 0 && !(await group.count())) return;
  }
  throw new Error('the group is still there');
}

/** Numbers of a day, each chart with a sentence and as a table. */
async function charted(page) {
  await to(page, 'overview');
  await page.locator('svg[role=img]').nth(3).waitFor({ timeout: 40_000 });
  const said = await page.locator('svg[role=img]').first().getAttribute('aria-label');
  holds(/^Parked in the last \d+ \w+: /.test(said), said);
  await page.getByText('The same as a table').click();
  await page.getByRole('region', { name: /numbers of the charts/ }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  await picture(page, 'overview');
}

async function setUp(page) {
  await to(page, 'setup');
  await page.getByRole('button', { name: 'Check again: Refresh token' }).click({ timeout: 30_000 });
  await page.getByText(/the refresh token is 0 days old/).waitFor();
  await page.getByRole('heading', { name: 'Deadlines' }).waitFor();
  await page.getByText(/expires unanswered|should not be won before/).first().waitFor();
  await page.getByRole('button', { name: 'Run selftest' }).click();
  await page.getByText(/signature hold: answered `?OK/).waitFor({ timeout: 40_000 });
  await picture(page, 'setup');
}

async function relinked(page) {
  await to(page, 'deals');
  await page.locator('tbody tr a').first().click();
  await page.getByRole('button', { name: 'Relink…' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Confirm: relink' }).click();
  await page.locator('dialog').getByText('1 of 1: 1 sent, 0 left out').first().waitFor({ timeout: 20_000 });
  await page.keyboard.press('Escape');
}

async function filtered(page) {
  await to(page, 'deals?mark=awaiting_microsoft&open=yes');
  await page.locator('#deal-open:checked').waitFor();
  await page.locator('#deal-open').uncheck();
  holds(!/open=yes/.test(await page.evaluate(() => location.hash)), 'the filter is in the address');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export JSON' }).click()]);
  const told = JSON.parse(readFileSync(await file.path(), 'utf8'));
  holds(told.schema === 1 && told.complete === true && told.deals.length > 0, JSON.stringify(told).slice(0, 200));
}

/** What is copied is what the command line's own test parses. */
async function copied(page) {
  const all = JSON.parse(readFileSync('shared/console/src/command/copied.json', 'utf8'));
  const made = await page.evaluate(async (events) => {
    const { commandText } = await import(new URL('command.js', document.baseURI));
    return events.map((event) => commandText('', event));
  }, all.map((one) => one.event));
  all.forEach((one, i) => holds(made[i] === one.text, `${made[i]}, expected ${one.text}`));
}

/** A page whose admin function answers some commands as `answers` says. */
async function mocked(context, answers, view) {
  const other = await context.newPage();
  await other.route('**/api/admin', (route) => {
    const json = answers(route.request().postDataJSON());
    return json ? route.fulfill({ json }) : route.fallback();
  });
  await other.goto(`${base}#/${view}`);
  return other;
}

const refused = { ok: false, lines: [{ level: 'fault', text: 'the table does not answer' }], data: null };

/** A list that could not be read to its end is not taken for a whole one, nor an unread map for the default. */
async function partly(context) {
  let fails = true;
  const deals = Array.from({ length: 1000 }, (_, i) => made(i));
  const first = { ok: true, lines: [], data: { deals, next: 'more' } };
  const rest = { ok: true, lines: [], data: { deals: [made(1000)], next: null } };
  const answers = ({ command, cursor }) => ({ map: refused, deals: !cursor ? first : fails ? refused : rest })[command];
  const other = await mocked(context, answers, 'deals');
  await other.getByRole('button', { name: 'Load all' }).click();
  await other.getByText('the table does not answer').waitFor();
  const [file] = await Promise.all([other.waitForEvent('download'), other.getByRole('button', { name: 'Export CSV' }).click()]);
  holds(file.suggestedFilename() === 'deals-part.csv', file.suggestedFilename());
  fails = false;
  await other.getByRole('button', { name: 'Try again' }).click();
  await other.getByText('1,001 loaded deals match').waitFor();
  await other.evaluate(() => { location.hash = '#/map'; });
  await other.getByText('the table does not answer').first().waitFor();
  holds(await other.getByText('default map is active').count() === 0, 'an unread map is called the default');
  await other.close();
}

/** Of two that are retried one is parked for another reason now: it is not healed; while the list is unread nothing is. */
async function elsewhere(context) {
  const group = (cause, count) => ({ cause, count, cure: 'fill it in', attempts: 1, next_try: null, messages: false, ids: ['opportunity/1'] });
  const parkedAs = (...groups) => ({ ok: true, lines: [], data: { groups } });
  const plan = { command: 'retry', map: 'm', count: 2, deals: [{ id: 'opportunity/1' }, { id: 'opportunity/2' }] };
  const after = [refused, parkedAs(group('B', 1))];
  let sent = false;
  const answers = (asked) => {
    if (asked.command === 'parked') return !sent ? parkedAs(group('A', 2)) : after.length > 1 ? after.shift() : after[0];
    if (asked.command !== 'retry') return null;
    sent = Boolean(asked.plan);
    return { ok: true, lines: [], data: sent ? { sent: 2, left_out: [] } : { plan } };
  };
  const other = await mocked(context, answers, 'parked');
  await other.getByRole('button', { name: 'Retry all 2…' }).click();
  const dialog = other.locator('dialog');
  await dialog.getByRole('button', { name: 'Retry 2' }).click();
  await dialog.getByText('could not be read').waitFor();
  await dialog.getByText('2 of 2 no longer parked for this cause, 1 still parked for another, 1 healed.').first().waitFor();
  await other.close();
}

/** The page of somebody who may only look: what acts is there, cannot be pressed, and says why. */
async function lookedAt(context) {
  const looking = await context.newPage();
  await looking.route('**/api/about', async (route) => {
    const answer = await (await route.fetch()).json();
    await route.fulfill({ json: { ...answer, may: 'look', mode: 'stack' } });
  });
  await looking.goto(`${base}#/setup`);
  const run = looking.getByRole('button', { name: /^Run selftest.*only looks/ });
  await run.waitFor({ timeout: 30_000 });
  holds(await run.isDisabled(), 'an act is offered to somebody who may only look');
  await looking.getByText('only looking').first().waitFor();
  await looking.close();
}

/** 10,000 deals, as the admin function would page them. */
async function many(context) {
  const full = await context.newPage();
  await full.route('**/api/admin', async (route) => {
    const asked = route.request().postDataJSON();
    if (asked.command !== 'deals') return route.fallback();
    const from = Number(asked.cursor ?? 0);
    const deals = Array.from({ length: 1000 }, (_, i) => made(from + i));
    return route.fulfill({ json: { ok: true, lines: [], data: { deals, next: from < 9000 ? String(from + 1000) : null } } });
  });
  await full.goto(`${base}#/setup`);
  await full.locator('h1').waitFor();
  let began = Date.now();
  await full.evaluate(() => { location.hash = '#/deals'; });
  await full.locator('tbody tr a').first().waitFor();
  const first = Date.now() - began;
  began = Date.now();
  await full.getByRole('button', { name: 'Load all' }).click();
  await full.getByText('10,000 loaded deals match').waitFor({ timeout: 30_000 });
  const all = Date.now() - began;
  began = Date.now();
  await full.locator('#deal-search').fill('deal 9999');
  await full.getByText('1 of 10,000 loaded deals match').waitFor();
  console.log(`      ${CRM}: of 10,000 deals the first are shown after ${first} ms, all are there after ${all} ms, one is found after ${Date.now() - began} ms`);
  holds(first < 3000, `the first deals took ${first} ms`);
  await full.close();
}

function made(n) {
  const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  return {
    referral: id, record: `opportunity/${id}`, microsoft: null, state: n % 7 ? 'linked' : 'closed', marks: n % 11 ? [] : ['waiting'],
    name: `Deal ${n}`, customer: `Customer ${n % 300}`, value: '77000', currency: 'EUR', closing_date: '2026-12-24',
    partner_center: 'Active/Accepted', crm: '0/1', changed: '2026-11-30T10:00:00Z',
  };
}

/** An answer of another version is told, and nothing is shown as if it were one. */
async function foreign(context) {
  const other = await context.newPage();
  await other.route('**/api/admin', (route) => route.fulfill({ status: 502, json: { error: 'the admin function answered with no report: {"v":9}' } }));
  await other.goto(`${base}#/deals`);
  await other.getByText('answered with no report').waitFor();
  holds(await other.locator('tbody tr').count() === 0, 'rows are shown');
  await other.close();
}

async function byKeyboard(page) {
  await to(page, 'overview');
  await page.locator('.sentence').waitFor({ timeout: 30_000 });
  // From the start of the document: a view gives the focus to its heading, and from there Tab would go on.
  await page.evaluate(() => { document.body.tabIndex = -1; document.body.focus(); });
  await page.keyboard.press('Tab');
  holds(await page.evaluate(() => document.activeElement.id === 'skip'), 'the first tab stop is the skip link');
  await page.keyboard.press('Enter');
  holds(await page.evaluate(() => document.activeElement.tagName === 'H1'), 'the skip link leads to the content');
  await to(page, 'parked');
  await page.locator('nav a', { hasText: 'Deals' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('#deal-search').waitFor();
}

async function hostile(page, partnerCenter) {
  let dialog = false;
  page.on('dialog', (one) => { dialog = true; return one.dismiss(); });
  await fetch(`${partnerCenter}/_sim/refer`, { method: 'POST', body: JSON.stringify({ name: HTML }) });
  await to(page, 'local');
  await page.getByText(HTML).first().waitFor({ timeout: 20_000 });
  await pause(3000);
  await to(page, 'deals');
  await page.getByText(HTML).first().waitFor({ timeout: 20_000 });
  holds(!dialog, 'a name was run as code');
}

async function dealSeen(page) {
  await to(page, 'deals');
  await picture(page, 'deals');
  await page.locator('tbody tr a').first().click();
  await page.locator('.timeline').waitFor({ timeout: 20_000 });
  await picture(page, 'deal');
  await accessible(page, 'deal');
  await page.getByRole('button', { name: /^Look now/ }).click();
  await page.locator('dialog').waitFor();
  await page.keyboard.press('Escape');
}

/** Cookies are kept by host, not by port: the path keeps ours from whoever else listens on this machine. */
async function elsewhereListening(context) {
  const seen = [];
  const server = createServer((request, answer) => { seen.push(request.headers.cookie ?? ''); answer.end('here'); });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const other = await context.newPage();
  await other.goto(`http://127.0.0.1:${server.address().port}/`);
  await other.close();
  server.close();
  holds(seen.length > 0 && seen.every((cookie) => !cookie.includes('cosell_')), seen.join('; '));
}

const { page: url, partnerCenter } = await addresses();
/** Where the page is once its address was opened. */
let base = '';
const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
const page = await context.newPage();
page.setDefaultTimeout(15_000);
page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()); });
page.on('pageerror', (error) => wrong.push(error.message));

await step('the address opens once', async () => {
  await page.goto(url);
  await page.locator('h1').first().waitFor();
  base = new URL('.', page.url()).href;
  const stranger = await browser.newContext();
  const other = await stranger.newPage();
  for (const [address, status] of [[url, 401], [base, 401], [new URL('/', base).href, 404]]) {
    const answer = await other.goto(address);
    holds(answer.status() === status, `a second browser got ${answer.status()} for ${new URL(address).pathname}`);
  }
});
await step('another port of this machine is sent no cookie', () => elsewhereListening(context));
await step('the tour, seven steps', () => toured(page));
await picture(page, 'local');
await step('a deal with both sides and its decisions', () => dealSeen(page));
await step('every trouble, and it heals', () => troubled(page, partnerCenter));
await step('a name with HTML is text', () => hostile(page, partnerCenter));
await step('a map with a fault, and one without', () => mapped(page));
await step('what another map would change, and a rollback', () => rolledBack(page));
await step('an import is one group of what is parked, and all of it is retried as planned', () => parked(page));
await step('once it is filled in, the group closes itself', () => healed(page));
await step('a deal is linked anew', () => relinked(page));
await step('filters stand in the address, and what they leave is exported', () => filtered(page));
await step('what is copied is what the command line takes', () => copied(page));
await step('a list that is read in part says so', () => partly(context));
await step('parked for another cause is not healed', () => elsewhere(context));
await step('set-up: parts, deadlines, the test event check by check', () => setUp(page));
await step('a day in charts', () => charted(page));
await step('who may only look is offered no act', () => lookedAt(context));
await step('10,000 deals', () => many(context));
await step('an answer of another version', () => foreign(context));
await step('by keyboard alone', () => byKeyboard(page));
for (const colorScheme of ['light', 'dark']) {
  await page.emulateMedia({ colorScheme });
  for (const view of VIEWS) {
    await step(`${view} is accessible, ${colorScheme}`, async () => {
      await to(page, view);
      if (view === 'overview') await page.locator('.sentence').waitFor({ timeout: 30_000 });
      // Only colours are other ones in the dark.
      await accessible(page, view, colorScheme === 'dark' ? ['color-contrast'] : null);
    });
  }
}
await to(page, 'overview');
await page.locator('.sentence').waitFor({ timeout: 30_000 });
await picture(page, 'dark');
await page.emulateMedia({ colorScheme: 'light' });
await step('narrow screens do not scroll sideways', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const view of VIEWS) {
    await to(page, view);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
    holds(!wide, `${view} is wider than the screen`);
  }
});
await step('nothing was refused or thrown', async () => holds(wrong.length === 0, wrong.slice(0, 3).join('; ')));
await browser.close();
process.exit(failed === 0 ? 0 : 1);
