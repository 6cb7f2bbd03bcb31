// Screenshots of every page and state with invented people: node e2e/shots-fake.mjs [http://127.0.0.1:21500] [pattern]
// Needs `npx vite --port 21500` running. The pictures go to artifacts/shots (not committed).
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findProgram } from './support/programs.mjs';

const base = process.argv[2] ?? 'http://127.0.0.1:21500';
const filter = process.argv[3] ?? '';
const out = fileURLToPath(new URL('../../artifacts/shots/', import.meta.url));
const axe = fileURLToPath(new URL('../node_modules/axe-core/axe.min.js', import.meta.url));
await mkdir(out, { recursive: true });

const phone = { width: 390, height: 844 };
const side = { width: 844, height: 390 };
const desk = { width: 1280, height: 800 };
const moderator = 'can=publish,subscribe,message,moderate,invite,watch';
const joinNow = (page) => page.getByTestId('join').click();
async function signInWith(page) {
  await page.getByTestId('passphrase').fill('open sesame');
  await page.getByTestId('sign-in-submit').click();
}
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
  // Who comes in, and how.
  ['first-hosts', 'path=/&open=hosts&people=1'],
  ['first-hosts-link', 'path=/&open=hosts&ways=link&people=1'],
  ['first-host', 'path=/&open=hosts&host=Ann+Lee&people=1'],
  ['first-tokens', 'path=/&open=tokens'],
  ['first-down', 'path=/&accessfail=unreachable'],
  ['sign-in', 'path=/sign-in&open=hosts'],
  ['sign-in-wrong', 'path=/sign-in&open=hosts&signfail=wrong_passphrase', signInWith],
  ['sign-in-slowed', 'path=/sign-in&open=hosts&signfail=too_many_tries&retry=42000', signInWith],
  ['sign-in-done', 'path=/sign-in&open=hosts&host=Ann+Lee'],
  ['sign-in-used', 'path=/sign-in&open=hosts&ways=link&signfail=bad_key&key=x'],
  ['sign-in-refused', 'path=/sign-in&open=hosts&ways=oidc&error=oidc_not_allowed'],
  ['check-knock', 'path=/r/standup&people=3&open=hosts&enter=knock'],
  ['check-guest', 'path=/r/standup&people=1&open=hosts&enter=guest'],
  ['check-opens', 'path=/r/standup&people=1&open=hosts&host=Ann'],
  ['check-first', 'path=/r/standup&people=1'],
  ['check-locked', 'path=/r/standup&people=3&locked=1'],
  ['refused-expired', 'path=/r/standup&open=hosts&enter=invitation_expired'],
  ['refused-closed', 'path=/r/standup&open=hosts&enter=invitation_closed'],
  ['refused-noknock', 'path=/r/standup&open=hosts&knock=0&enter=sign_in_needed'],
  ['refused-tokens', 'path=/r/standup&open=tokens&enter=sign_in_needed'],
  ['refused-down', 'path=/r/standup&enter=unreachable'],
  ['waiting', 'path=/r/standup&people=3&open=hosts&enter=knock&waits=moderator', joinNow],
  ['waiting-host', 'path=/r/standup&people=1&open=hosts&enter=guest&waits=host', joinNow],
  ['waiting-lost', 'path=/r/standup&people=3&open=hosts&enter=knock&waits=moderator&lostwait=1', joinNow],
  ['tab', 'path=/r/standup&people=3&othertab=1', joinNow],
  ['moved', 'join=1&people=3&close=moved'],
  ['invite', `join=1&people=2&open=hosts&panel=invite&${moderator}`],
  ['invite-open', `join=1&people=2&open=hosts&links=3&panel=invite,invite-more,invitations&${moderator}`],
  ['invite-qr', `join=1&people=2&open=hosts&panel=invite,invite-show-qr&${moderator}`],
  ['invite-plain', 'join=1&people=2&panel=invite'],
  ['invite-none', 'join=1&people=3&marks=1&open=hosts&panel=invite'],
  ['invite-full', `join=1&people=2&open=hosts&links=2&invitefail=too_many_invitations&panel=invite&${moderator}`],
  ['knock-one', `join=1&people=3&open=hosts&knocks=1&${moderator}`],
  ['knock-many', `join=1&people=3&open=hosts&knocks=3&${moderator}`],
  ['knock-alone', `join=1&people=1&open=hosts&knocks=1&${moderator}`],
  ['knock-list', `join=1&people=5&open=hosts&knocks=3&marks=1&bans=2&panel=people,kept-out&${moderator}`],
  ['marks', 'join=1&people=4&marks=1&panel=people'],
  ['person-menu', `join=1&people=4&marks=1&panel=people,person-menu&${moderator}`],
  ['promoted', 'join=1&people=2&promote=1'],
  ['alone-host', `join=1&people=1&open=hosts&${moderator}`],
  ['lost-long', 'join=1&people=3&state=reconnecting&media=failed&lost=36'],
  ['over-banned', 'join=1&people=3&fail=banned'],
  ['over-declined', 'join=1&people=3&fail=declined&retry=48000'],
  ['over-waiting-full', 'join=1&people=3&fail=too_many_waiting'],
  ['over-locked', 'join=1&people=3&fail=room_locked'],
  ['over-expired', 'join=1&people=3&close=token_expired'],
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
  for (const [name, query, then] of shots) {
    if (filter && !new RegExp(filter).test(`${name}-${look}`)) continue;
    const page = await context.newPage();
    page.on('pageerror', (e) => report(name, look, e.message));
    page.on('console', (m) => m.type() === 'error' && report(name, look, m.text()));
    const path = query.includes('path=') || query.includes('unsupported') ? '' : '&path=/r/standup';
    await page.goto(`${base}/fake.html?${query}${path}`);
    await page.waitForTimeout(then ? 600 : query.includes('panel=invite,') ? 1700 : 1100);
    await then?.(page);
    if (then) await page.waitForTimeout(600);
    await page.screenshot({ path: `${out}${name}-${look}.png` });
    await check(page, name, look);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) report(name, look, `scrolls sideways by ${wide} px`);
    await page.close();
  }
  await context.close();
}
await browser.close();
process.exitCode = faults > 0 ? 1 : 0;

// What axe finds, of the rules of WCAG 2.2 AA and good practice.
async function check(page, name, look) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  for (const v of violations)
    report(name, look, `axe ${v.id} (${v.impact}): ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`);
}

function report(name, look, text) {
  faults++;
  console.log(`${name} ${look}: ${text}`);
}
