// Three layers leave the publisher, and each viewer gets the one that fits the size of its tile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sent, startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'simulcast' });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('three encodings are sent, and the layer follows the tile', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'sim', name: 'Ann', microphone: false });
  const bob = await joinGuest(browser, server.url, {
    room: 'sim',
    name: 'Bob',
    camera: false,
    microphone: false,
    tile: [1280, 720],
  });
  await until('three layers', async () => (await sent(ann.page)).filter((l) => l.frames > 5).length === 3, 60_000);
  const width = async () => (await bob.received()).videos[0]?.width;
  await until('the full picture', async () => (await width()) === 1280, 40_000);
  await bob.resize([160, 90]);
  await until('the quarter', async () => (await width()) === 320, 30_000);
  await bob.resize([600, 338]);
  await until('the half', async () => (await width()) === 640, 30_000);
  await bob.resize([1280, 720]);
  await until('the full picture again', async () => (await width()) === 1280, 30_000);
  const frames = (await bob.received()).videos[0];
  assert.ok(frames.freezes <= 2, `a switch must not freeze the picture: ${frames.freezes} freezes`);
  for (const g of [ann, bob]) await g.leave();
});

test('two viewers of one picture get different layers', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'two-sizes', name: 'Ann', microphone: false });
  const big = await joinGuest(browser, server.url, {
    room: 'two-sizes',
    name: 'Big',
    camera: false,
    microphone: false,
    tile: [1280, 720],
  });
  const small = await joinGuest(browser, server.url, {
    room: 'two-sizes',
    name: 'Small',
    camera: false,
    microphone: false,
    tile: [200, 112],
  });
  await until(
    '1280 and 320',
    async () => (await big.received()).videos[0]?.width === 1280 && (await small.received()).videos[0]?.width === 320,
    20_000,
  );
  for (const g of [ann, big, small]) await g.leave();
});
