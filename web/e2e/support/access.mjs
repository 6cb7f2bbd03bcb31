// Coming in as people do: signing in as a host, inviting, knocking, being let in; and what axe says of a page on the way.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { newPage } from './browsers.mjs';
import { until } from './server.mjs';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const jsQR = readFileSync(require.resolve('jsqr/dist/jsQR.js'), 'utf8');

export const secret = 'a secret of the browser tests';
export const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true };
export const id = (page, name) => page.getByTestId(name);

/** The sign-in link that the server printed when it started. */
export const signInLink = (server) => readFileSync(server.log, 'utf8').match(/http\S+\/sign-in#key=\S+/)?.[0];

/** A page of somebody who is signed in as a host by the printed link, and what his browser keeps, for more pages of his. */
export async function signInByLink(browser, server) {
  const page = await newPage(browser);
  await page.goto(await until('the sign-in link', () => signInLink(server)));
  await id(page, 'sign-in-page').and(page.locator('[data-state=done]')).waitFor();
  return { page, cookies: await page.context().storageState() };
}

/** What axe finds wrong on a page as it is now, of the rules of WCAG 2.2 AA and good practice: nothing. */
export async function accessible(page, state) {
  await page.evaluate(axe); // as the debugger does it: the page's own policy forbids foreign scripts
  const found = await page.evaluate(async () => {
    await Promise.allSettled(
      document.getAnimations().map((a) => (a.effect?.getTiming().iterations === 1 ? a.finished : 0)),
    );
    const { violations } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
  });
  assert.deepEqual(found, [], `axe on ${state}`);
}

/** The text of the QR code in a picture (PNG). */
export async function readQR(browser, png) {
  const page = await (await browser.newContext()).newPage();
  try {
    await page.evaluate(jsQR);
    return await page.evaluate(async (base64) => {
      const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      const context = canvas.getContext('2d');
      context.drawImage(picture, 0, 0);
      const { data, width, height } = context.getImageData(0, 0, picture.width, picture.height);
      return window.jsQR(data, width, height)?.data;
    }, png.toString('base64'));
  } finally {
    await page.context().close();
  }
}

export const count = (page, name) => id(page, name).count();

const inCall = (page) => id(page, 'call').getAttribute('data-state', { timeout: 1000 });

/** Waits until the page is in the call. */
export const isIn = (page, who = 'the page', timeout = 20_000) =>
  until(`${who} to be in the call`, async () => (await inCall(page)) === 'connected', timeout);

/** From the check before a call through the door: into the call, or to wait. */
export async function pass(page, { name, camera = false, microphone = false, wait = false }) {
  await id(page, 'join').waitFor();
  if (name) await id(page, 'name').fill(name);
  for (const [kind, wanted] of Object.entries({ camera, microphone })) {
    const button = id(page, `check-${kind}`);
    if (((await button.getAttribute('aria-pressed')) === 'true') !== wanted) await button.click();
  }
  await until('the door to say what will happen', async () => !(await id(page, 'join').isDisabled()));
  await id(page, 'join').click();
  if (wait) await id(page, 'waiting').waitFor();
  else await isIn(page, name);
}

/** A host's page in a room. */
export async function hostIn(browser, url, cookies, { room, name = 'Hana', ...rest }) {
  const page = await newPage(browser, { storageState: cookies, ...rest });
  await page.goto(`${url}/r/${room}`);
  await pass(page, { name, ...rest });
  return page;
}

/** The link that the invite dialog shows for a wish; the dialog stays open. */
export async function inviteLink(page, { knock = false, ttl } = {}) {
  if (!(await id(page, 'invite-dialog').isVisible())) await id(page, 'invite').first().click();
  await id(page, knock ? 'invite-asks' : 'invite-at-once').check();
  if (ttl) {
    await id(page, 'invite-more').click();
    await id(page, 'invite-ttl').selectOption(String(ttl));
  }
  await until('a link', async () => (await id(page, 'invite-dialog').getAttribute('data-invite')) === 'ready');
  return until('the link in its field', () => id(page, 'invite-link').inputValue());
}

/** As inviteLink, and closes the dialog. */
export async function invite(page, wish) {
  const link = await inviteLink(page, wish);
  await id(page, 'invite-copy').click(); // a link that was handed out is kept
  await page.keyboard.press('Escape');
  await id(page, 'invite-dialog').waitFor({ state: 'detached' });
  return link;
}

/** A page of somebody new, at what a link leads to. */
export async function open(browser, link, options = {}) {
  const page = await newPage(browser, options);
  await page.goto(link);
  return page;
}

/** What the check page says will happen at the door: join, knock, wait or refused. */
export const door = (page) =>
  until('the door to say what will happen', async () => {
    const kind = await id(page, 'entry').getAttribute('data-entry');
    return kind !== 'asking' && kind;
  });

/** The code with which a room stays shut, on the check page. */
export const refused = async (page) => {
  const entry = page.locator('[data-testid=entry][data-entry=refused]');
  await entry.waitFor();
  return entry.getAttribute('data-code');
};

/** The code with which a call ended. */
export const over = async (page) => {
  await id(page, 'over').waitFor();
  return id(page, 'over').getAttribute('data-code');
};
