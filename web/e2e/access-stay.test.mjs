// Who was in is in again without a click: after a reload, after a minute without a network, after the server was restarted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { count, hostIn, id, invite, isIn, open, over, pass, phone, secret, signInByLink } from './support/access.mjs';
import { startChromium } from './support/browsers.mjs';
import { startProxy } from './support/proxy.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
let proxy; // between the guest and the server
const start = (port) =>
  startServer({ name: 'stay', port, env: { PARLEY_SECRET: secret }, args: ['--timing-spread', '1s'] });
before(async () => {
  server = await start();
  proxy = await startProxy(server.port);
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.stop();
});

const state = (page) => id(page, 'call').getAttribute('data-state', { timeout: 1000 });
const both = (a, b) =>
  until('both to see each other', async () => (await count(a, 'tile')) === 2 && (await count(b, 'tile')) === 2, 60_000);

test('a guest stays in', { timeout: 170_000 }, async () => {
  const { cookies } = await signInByLink(browser, server);
  const hana = await hostIn(browser, server.url, cookies, { room: 'stay' });
  const link = await invite(hana, { knock: true });
  const gus = await open(browser, link.replace(server.url, proxy.url), phone);
  await pass(gus, { name: 'Gus', wait: true });
  await id(hana, 'knocks-admit').click();
  await isIn(gus, 'Gus');
  await both(hana, gus);

  // reloads: the page goes back into the call by itself
  await gus.reload();
  await isIn(gus, 'Gus');
  await both(hana, gus);
  assert.equal(await count(hana, 'knocks'), 0);

  // a minute without a network: longer than a session is kept
  proxy.cut();
  const end = Date.now() + 60_000;
  await until('Gus to be gone', async () => (await count(hana, 'tile')) === 1, 90_000);
  await until('a minute to be over', () => Date.now() > end, 60_000, 200);
  proxy.restore();
  await until('Gus to be back', async () => (await state(gus)) === 'connected', 60_000);
  await both(hana, gus);

  // the server is restarted: same secret, same data folder
  const { port } = server;
  await server.stop();
  server = await start(port);
  for (const [page, name] of [
    [hana, 'Hana'],
    [gus, 'Gus'],
  ])
    await until(`${name} to be back`, async () => (await state(page)) === 'connected', 60_000);
  await both(hana, gus);
  assert.equal(await count(hana, 'knocks'), 0);

  // who is removed is not
  await id(hana, 'people').click();
  await id(hana, 'person').filter({ hasText: 'Gus' }).getByTestId('person-menu').click();
  await id(hana, 'keep-out').click();
  assert.ok(['removed', 'banned'].includes(await over(gus)));
});
