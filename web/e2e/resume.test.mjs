// The signaling connection is cut in the middle of a call: media goes on, no event is lost or doubled.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startProxy } from './support/proxy.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
let proxy;
before(async () => {
  server = await startServer({ name: 'resume' });
  proxy = await startProxy(server.port);
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.stop();
});

test('a cut socket resumes: media flows on, chat is complete and in order', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'cut', name: 'Ann' });
  const bob = await joinGuest(browser, proxy.url, { room: 'cut', name: 'Bob' });
  await Promise.all([ann.frames(30), bob.frames(30)]);
  await ann.run(async (r) => {
    for (let i = 0; i < 5; i++) await r.chat(`before ${i}`);
  });
  await until('five messages', async () => (await bob.run((r) => r.messages.length)) === 5);

  proxy.cut();
  await until('Bob to notice', async () => (await bob.run((r) => r.state)) === 'reconnecting', 15_000);
  await ann.run(async (r) => {
    for (let i = 0; i < 20; i++) await r.chat(`during ${i}`);
  });
  const pending = bob.run((r) => r.chat('from Bob, while cut'));
  await bob.frames(60); // media never stopped
  await ann.frames(60);
  assert.equal((await ann.people()).length, 2, 'Bob never left the room');

  proxy.restore();
  await until('Bob to be back', async () => (await bob.run((r) => r.state)) === 'connected', 15_000);
  await pending;
  const texts = (g) => g.run((r) => r.messages.map((m) => m.text));
  await until('all at Ann', async () => (await texts(ann)).length === 26);
  await until('all at Bob', async () => (await texts(bob)).length === 26);
  const [a, b] = [await texts(ann), await texts(bob)];
  assert.deepEqual(b, a, 'both saw the same, in the same order');
  assert.deepEqual(
    a.filter((t) => !t.startsWith('from')),
    [...Array(5).keys()].map((i) => `before ${i}`).concat([...Array(20).keys()].map((i) => `during ${i}`)),
  );
  assert.equal((await ann.people()).length, 2);
  for (const g of [ann, bob]) await g.leave();
});

test('after more than the resume window the page joins anew by itself', { timeout: 120_000 }, async () => {
  const ann = await joinGuest(browser, server.url, { room: 'long', name: 'Ann', camera: false });
  const bob = await joinGuest(browser, proxy.url, { room: 'long', name: 'Bob' });
  await until('both', async () => (await ann.people()).length === 2);
  proxy.cut();
  await until('Bob to leave for Ann', async () => (await ann.people()).length === 1, 41_000);
  proxy.restore();
  await until('Bob to be back', async () => (await ann.people()).length === 2, 30_000);
  await until('his picture to be back', async () => (await ann.received()).videos.length > 0, 20_000);
  await ann.frames(30);
  for (const g of [ann, bob]) await g.leave();
});
