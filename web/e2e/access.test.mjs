// A friend gets in: a server with a secret, its operator's first start, invitations, the waiting room, and who stays out. Used as people do.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { WebSocket } from 'ws';
import {
  accessible,
  door,
  hostIn,
  id,
  invite,
  inviteLink,
  isIn,
  open,
  over,
  pass,
  phone,
  readQR,
  refused,
  secret,
  signInByLink,
  signInLink,
} from './support/access.mjs';
import { photographFailure, received, startChromium } from './support/browsers.mjs';
import { artifacts, startServer, token, until } from './support/server.mjs';

let server;
let browser;
let cookies; // of a browser in which the operator is signed in
before(async () => {
  server = await startServer({ name: 'access', env: { PARLEY_SECRET: secret } });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async (t) => {
  await photographFailure(browser, t);
  await Promise.all(browser.contexts().map((c) => c.close()));
});
const shot = (page, name) => page.screenshot({ path: join(artifacts, `access-${name}.png`) });
const count = (page, name) => id(page, name).count();

test('the operator’s first start: the printed link signs him in, once', { timeout: 60_000 }, async () => {
  const stranger = await open(browser, `${server.url}/`, phone);
  await id(stranger, 'sign-in-link').waitFor();
  assert.equal(await id(stranger, 'first').getAttribute('data-open'), 'hosts');
  await shot(stranger, 'first');
  await accessible(stranger, 'the first page, signed out');

  const { page: hana, cookies: kept } = await signInByLink(browser, server);
  cookies = kept;
  assert.ok(!hana.url().includes('key='), 'the key stays in the address');
  await accessible(hana, 'signed in');
  const cookie = cookies.cookies.find((c) => c.httpOnly);
  assert.ok(cookie && cookie.sameSite === 'Lax', JSON.stringify(cookies.cookies.map(({ value, ...c }) => c)));

  const second = await open(browser, signInLink(server), phone);
  await id(second, 'sign-in-fault').first().waitFor();
  assert.equal(await id(second, 'sign-in-fault').first().getAttribute('data-code'), 'bad_key');
  assert.match(await id(second, 'sign-in-page').textContent(), /does not work any more/);
  await shot(second, 'sign-in-twice');
  await accessible(second, 'a sign-in link that is used');

  await hana.goto(`${server.url}/`);
  await id(hana, 'host').waitFor();
  await id(hana, 'name').fill('Hana');
  await id(hana, 'room').fill('opened');
  await id(hana, 'continue').click();
  await pass(hana, {});
  assert.deepEqual(hana.problems, []);
});

test('a link is copied, shared, and read from its QR code', { timeout: 60_000 }, async () => {
  const hana = await hostIn(browser, server.url, cookies, {
    room: 'links',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await hana.evaluate(() => {
    navigator.share = async (what) => {
      window.shared = what;
    };
  });
  const link = await inviteLink(hana);
  assert.match(link, new RegExp(`^${server.url}/r/links#invite=[\\w-]{30,60}$`));
  await accessible(hana, 'the invite dialog');
  await id(hana, 'invite-copy').click();
  assert.equal(await until('the copy', () => hana.evaluate(() => navigator.clipboard.readText())), link);
  await id(hana, 'invite-share').click();
  assert.equal((await until('the share', () => hana.evaluate(() => window.shared))).url, link);
  await id(hana, 'invite-show-qr').click();
  await id(hana, 'invite-qr').waitFor();
  assert.equal(await readQR(browser, await id(hana, 'invite-qr').screenshot()), link);
  await shot(hana, 'invite-qr');
  await accessible(hana, 'the invite dialog with a QR code');

  const gus = await open(browser, link, phone);
  assert.equal(await door(gus), 'join');
  await pass(gus, { name: 'Gus' });
  assert.ok(!gus.url().includes('invite='), 'the invitation stays in the address');
  await until('both', async () => (await count(gus, 'tile')) === 2 && (await count(hana, 'tile')) === 2);
  await gus.getByTestId('people').click();
  assert.equal(await count(gus, 'mark-moderator'), 1);
  assert.equal(await count(gus, 'remove'), 0);
  // the guest invites nobody, and is told who does
  await id(gus, 'people').click();
  await id(gus, 'invite').first().click();
  await id(gus, 'invite-dialog').waitFor();
  assert.match(await id(gus, 'invite-dialog').textContent(), /Ask Hana/);
});

test('a guest knocks by phone, is let in, muted, removed, and stays out', { timeout: 120_000 }, async () => {
  const hana = await hostIn(browser, server.url, cookies, { room: 'door', camera: true, microphone: true });
  const link = await invite(hana, { knock: true });
  const gus = await open(browser, link, phone);
  await id(gus, 'join').waitFor();
  assert.equal(await door(gus), 'knock');
  await accessible(gus, 'the check before knocking');
  await pass(gus, { name: 'Gus', camera: true, microphone: true, wait: true });
  assert.equal(await id(gus, 'waiting').getAttribute('data-for'), 'moderator');
  assert.ok(await gus.locator('[data-testid=waiting] video').isVisible());
  await shot(gus, 'waiting');
  await accessible(gus, 'the waiting page');
  await id(hana, 'knocks').waitFor();
  assert.match(await id(hana, 'knocks').textContent(), /Gus/);
  await shot(hana, 'knock');
  await accessible(hana, 'a call with a knock');
  // in the list, too
  await id(hana, 'people').click();
  await id(hana, 'knock').waitFor();
  await accessible(hana, 'the waiting list');
  await id(hana, 'people').click();
  // a reload of the waiting page keeps the place or asks anew: one knock it stays
  await id(hana, 'knocks-admit').click();
  await isIn(gus, 'Gus');
  await until(
    'pictures at both',
    async () => (await received(gus)).frames > 5 && (await received(hana)).frames > 5,
    20_000,
  );
  await until('the knock to be gone', async () => (await count(hana, 'knocks')) === 0);

  const menu = async (act) => {
    if (!(await id(hana, 'people-panel').isVisible())) await id(hana, 'people').click();
    await id(hana, 'person').filter({ hasText: 'Gus' }).getByTestId('person-menu').click();
    await id(hana, act).click();
  };
  await menu('mute');
  await until('Gus to be muted', async () => (await id(gus, 'microphone').getAttribute('aria-pressed')) === 'false');
  await menu('keep-out');
  const code = await over(gus);
  assert.ok(['banned', 'removed'].includes(code), code);
  await shot(gus, 'removed');
  await accessible(gus, 'removed');

  // the same link again, a reload, another browser with the same link: none lets him in
  await gus.goto('about:blank');
  await gus.goto(link);
  assert.ok(['banned', 'invitation_closed'].includes(await outcome(gus, 'Gus')));
  await gus.reload();
  assert.ok(['banned', 'invitation_closed'].includes(await outcome(gus, 'Gus')));
  const other = await open(browser, link, phone);
  const closed = await outcome(other, 'Gustav');
  assert.equal(closed, 'invitation_closed');
  await shot(other, 'closed');
  await accessible(other, 'a closed invitation');
  assert.equal(await count(hana, 'knock'), 0);
});

/** With which code a page stays out, at the check or when it joins. */
async function outcome(page, name) {
  const found = () =>
    page
      .locator('[data-testid=entry][data-entry=refused], [data-testid=over]')
      .first()
      .getAttribute('data-code', { timeout: 200 })
      .catch(() => '');
  await until('an answer, or a door', async () => (await found()) || (await id(page, 'join').isEnabled()));
  if (!(await found())) {
    await id(page, 'name').fill(name);
    await id(page, 'join').click();
  }
  return until('an answer', found, 15_000);
}

test('links are revoked, one and all; forged and foreign ones lead on', { timeout: 90_000 }, async () => {
  const hana = await hostIn(browser, server.url, cookies, { room: 'revoked' });
  const first = await invite(hana);
  const second = await invite(hana, { knock: true });
  const third = await invite(hana);
  const shown = await inviteLink(hana, { knock: true });
  await id(hana, 'invitations').click();
  await until('the links in the list', async () => (await count(hana, 'invitation')) === 3);
  await shot(hana, 'links');
  await accessible(hana, 'the list of links');
  await id(hana, 'revoke').last().click(); // the oldest
  await until('two links', async () => (await count(hana, 'invitation')) === 2);
  const last = await open(browser, third); // the others are good still
  assert.equal(await door(last), 'join');
  await last.context().close();
  await id(hana, 'revoke-all').click();
  await until('no link', async () => (await count(hana, 'invitation')) === 0);
  for (const link of [first, second, third, shown]) {
    const page = await open(browser, link, phone);
    assert.equal(await refused(page), 'invitation_revoked');
    if (link === shown) await accessible(page, 'a revoked invitation');
    await page.context().close();
  }
  const cut = (link) => link.slice(0, -4) + (link.endsWith('AAAA') ? 'BBBB' : 'AAAA');
  for (const [what, link] of [
    ['forged', cut(await inviteLink(hana))],
    ['cut short', first.slice(0, -9)],
    ['of another room', first.replace('/r/revoked', '/r/links')],
  ]) {
    const page = await open(browser, link, phone);
    assert.equal(await refused(page), 'invitation_invalid', what);
    assert.ok(await id(page, 'entry-knock').isVisible(), `${what}: it does not lead on`);
    if (what === 'forged') {
      await shot(page, 'forged');
      await accessible(page, 'a forged invitation');
      await id(page, 'entry-knock').click(); // and leads to the door
      await until('the door', () => id(page, 'join').isEnabled());
      await pass(page, { name: 'Finn', wait: true });
    }
    await page.context().close();
  }
});

test('a link expires', { timeout: 60_000 }, async () => {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/v1/rooms/expired/ws`, 'parley.v1');
  const seen = [];
  ws.on('message', (m) => seen.push(JSON.parse(m)));
  await new Promise((r) => ws.once('open', r));
  ws.send(
    JSON.stringify({
      type: 'join',
      id: 1,
      token: token(['--room', 'expired', '--identity', 'app', '--can', 'message,moderate'], secret),
    }),
  );
  await until('welcome', () => seen.find((m) => m.type === 'welcome'));
  ws.send(JSON.stringify({ type: 'invite', id: 2, ttl: 1 }));
  const answer = await until('an answer', () => seen.find((m) => m.id === 2));
  assert.equal(answer.type, 'invited', JSON.stringify(answer));
  const link = `${server.url}/r/expired#invite=${answer.invitation.invite}`;
  await until('its end', () => Date.now() > Date.parse(answer.invitation.expires_at) + 1000, 90_000);
  const page = await open(browser, link, phone);
  assert.equal(await refused(page), 'invitation_expired');
  assert.match(await id(page, 'entry').textContent(), /expired/);
  await shot(page, 'expired');
  await accessible(page, 'an expired invitation');
  ws.close();
});

test('who is declined is told so, and a guest before the host is in by himself', { timeout: 90_000 }, async () => {
  const hana = await hostIn(browser, server.url, cookies, { room: 'declined' });
  const knocking = await invite(hana, { knock: true });
  const plain = await invite(hana);
  const gus = await open(browser, knocking, phone);
  await pass(gus, { name: 'Gus', wait: true });
  await id(hana, 'knocks-decline').click();
  assert.equal(await over(gus), 'declined');
  await shot(gus, 'declined');
  await accessible(gus, 'declined');

  // the host goes; whoever comes by an invitation waits for him
  await id(hana, 'leave').click();
  await over(hana);
  const gina = await open(browser, plain, phone);
  await pass(gina, { name: 'Gina', wait: true });
  assert.equal(await id(gina, 'waiting').getAttribute('data-for'), 'host');
  assert.match(await id(gina, 'waiting-words').textContent(), /host/i);
  await shot(gina, 'waits-for-host');
  await accessible(gina, 'waiting for the host');
  await id(hana, 'rejoin').click();
  await pass(hana, {});
  await isIn(gina, 'Gina');
});

test('a locked room is knocked at', { timeout: 60_000 }, async () => {
  const hana = await hostIn(browser, server.url, cookies, { room: 'locked' });
  const link = await invite(hana);
  await id(hana, 'people').click();
  await id(hana, 'lock').click();
  await until('the lock', async () => (await id(hana, 'lock').getAttribute('aria-pressed')) !== 'false');
  const gus = await open(browser, link, phone);
  await pass(gus, { name: 'Gus', wait: true });
  await id(hana, 'knock-admit').click();
  await isIn(gus, 'Gus');
});

test('a second tab asks: move it here, or join twice', { timeout: 90_000 }, async () => {
  const hana = await hostIn(browser, server.url, cookies, { room: 'tabs' });
  const here = async () => {
    const page = await hana.context().newPage();
    await page.goto(`${server.url}/r/tabs`);
    await until('the door', () => id(page, 'join').isEnabled());
    await id(page, 'join').click();
    await id(page, 'tab-dialog').waitFor();
    return page;
  };
  const second = await here();
  await shot(second, 'tabs');
  await accessible(second, 'the question of a second tab');
  await id(second, 'tab-twice').click();
  await isIn(second, 'the second tab');
  await until('both tabs', async () => (await count(hana, 'tile')) === 2);
  await second.close();
  const third = await here();
  await id(third, 'tab-move').click();
  await isIn(third, 'the third tab');
  assert.equal(await over(hana), 'moved');
  await accessible(hana, 'moved to another tab');
});
