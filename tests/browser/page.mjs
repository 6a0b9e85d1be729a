// What a person does on the page, step by step; each step says what it saw.
import { readFileSync, mkdirSync } from 'node:fs';
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

async function accessible(page, view) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  const told = found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 120)}`);
  holds(told.length === 0, `${view}: ${told.join('; ')}`);
}

async function picture(page, name) {
  if (SCREENSHOTS !== '--screenshots' || CRM !== 'dynamics365') return;
  mkdirSync(PICTURES, { recursive: true });
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

const accept = (id) => fetch('/api/local', {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ act: 'accept', id }),
});

/** Both sides of every linked deal show the same amount. */
async function agreed(page) {
  let apart = [];
  for (let n = 0; n < 60; n += 1) {
    const world = await page.evaluate(() => fetch('/api/local').then((answer) => answer.json()));
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

async function setAside(page) {
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

const { page: url, partnerCenter } = await addresses();
const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
page.setDefaultTimeout(15_000);
page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()); });
page.on('pageerror', (error) => wrong.push(error.message));

await step('the address opens once', async () => {
  await page.goto(url);
  await page.locator('h1').first().waitFor();
  const stranger = await browser.newContext();
  const again = await (await stranger.newPage()).goto(url);
  holds(again.status() === 401, `a second browser got ${again.status()}`);
});
await step('the tour, seven steps', () => toured(page));
await picture(page, 'local');
await step('a deal with both sides and its decisions', () => dealSeen(page));
await step('every trouble, and it heals', () => troubled(page, partnerCenter));
await step('a name with HTML is text', () => hostile(page, partnerCenter));
await step('a map with a fault, and one without', () => mapped(page));
await step('an import is one group of what is set aside', () => setAside(page));
for (const view of VIEWS) {
  await step(`${view} is accessible`, async () => {
    await to(page, view);
    await accessible(page, view);
  });
}
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
