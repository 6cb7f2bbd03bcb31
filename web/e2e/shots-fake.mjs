// Screenshots of every page and state with invented people: node e2e/shots-fake.mjs [http://127.0.0.1:21700] [filter]
// Needs `npx vite --port 21700` running. The pictures go to artifacts/shots (not committed).
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findProgram } from './support/programs.mjs';

const base = process.argv[2] ?? 'http://127.0.0.1:21700';
const filter = process.argv[3] ?? '';
const out = fileURLToPath(new URL('../../artifacts/shots/', import.meta.url));
await mkdir(out, { recursive: true });

const phone = { width: 390, height: 844 };
const side = { width: 844, height: 390 };
const desk = { width: 1440, height: 900 };
const shots = [
  ['first', 'path=/&people=4'],
  ['first-empty', 'path=/&people=1'],
  ['check', 'path=/r/standup&people=3'],
  ['check-denied', 'path=/r/standup&people=1&device=permission_denied'],
  ['check-nodevice', 'path=/r/standup&people=1&device=no_device'],
  ['unsupported', 'unsupported=1'],
  ['unknown', 'path=/nowhere/at/all'],
  ['call-1', 'join=1&people=1'],
  ['call-2', 'join=1&people=2'],
  ['call-3', 'join=1&people=3'],
  ['call-5', 'join=1&people=5'],
  ['call-12', 'join=1&people=12'],
  ['call-30', 'join=1&people=30'],
  ['call-nocamera', 'join=1&people=4&camera=0&locked=1'],
  ['screen', 'join=1&people=6&screen=1'],
  ['chat', 'join=1&people=5&chat=1&panel=chat'],
  ['unread', 'join=1&people=3&chat=1'],
  ['people', 'join=1&people=12&panel=people&can=publish,subscribe,message,moderate&locked=1'],
  ['files', 'join=1&people=3&files=1'],
  ['batches', 'join=1&people=5&batches=1'],
  ['away', 'join=1&people=4&away=12&panel=people'],
  ['away-pair', 'join=1&people=2&away=90'],
  ['away-first', 'path=/&people=4&away=12'],
  ['devices', 'join=1&people=3&panel=more,open-devices'],
  ['reconnecting', 'join=1&people=3&state=reconnecting&blocked=1'],
  ['quality', 'join=1&people=4&panel=quality'],
  ['paused', 'join=1&people=4&paused=1&panel=quality'],
  ['stats', 'join=1&people=4&paused=1&panel=more,open-stats'],
  ['media-failed', 'join=1&people=3&media=failed'],
  ['media-reconnecting', 'join=1&people=3&media=reconnecting'],
  ['over-left', 'join=1&people=3&close=left'],
  ['over-removed', 'join=1&people=3&close=removed'],
  ['over-ended', 'join=1&people=3&close=room_ended'],
  ['fail-full', 'join=1&people=3&fail=room_full'],
  ['fail-token', 'join=1&people=3&fail=unauthorized'],
  ['fail-server', 'join=1&people=3&fail=unreachable'],
];
const looks = [
  ['phone-light', phone, 'light', true],
  ['phone-dark', phone, 'dark', true],
  ['side-light', side, 'light', true],
  ['desk-light', desk, 'light', false],
  ['desk-dark', desk, 'dark', false],
];

const browser = await chromium.launch({
  executablePath: findProgram('chromium'),
  args: [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ],
});
let faults = 0;
for (const [look, viewport, colorScheme, touch] of looks) {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    hasTouch: touch,
    isMobile: touch,
    reducedMotion: 'reduce',
  });
  await context.addInitScript(() => {
    localStorage.setItem(
      'parley.settings',
      JSON.stringify({ name: 'Sam', recent: ['standup', 'quiet-otter-427', 'tuesday-lunch'] }),
    );
  });
  for (const [name, query] of shots) {
    if (filter && !`${name}-${look}`.includes(filter)) continue;
    const page = await context.newPage();
    page.on('pageerror', (e) => report(name, look, e.message));
    page.on('console', (m) => m.type() === 'error' && report(name, look, m.text()));
    const path = query.includes('path=') || query.includes('unsupported') ? '' : '&path=/r/standup';
    await page.goto(`${base}/fake.html?${query}${path}`);
    await page.waitForTimeout(1100);
    await page.screenshot({ path: `${out}${name}-${look}.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) report(name, look, `scrolls sideways by ${wide} px`);
    await page.close();
  }
  await context.close();
}
await browser.close();
process.exitCode = faults > 0 ? 1 : 0;

function report(name, look, text) {
  faults++;
  console.log(`${name} ${look}: ${text}`);
}
