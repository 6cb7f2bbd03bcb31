// How soon there is a picture: bounds that a slow machine keeps. `make lab SIDE=join` measures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { installProbe } from './measure/probe.mjs';
import { newPage, sent, startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startServer, until } from './support/server.mjs';

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([
    startChromium({ args: ['--use-fake-device-for-media-stream=fps=30'] }),
    startServer({ name: 'firstpicture' }),
  ]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function enter(room, name, options) {
  const page = await newPage(browser);
  await page.context().addInitScript(installProbe);
  return joinGuest(browser, server.url, { room, name, page, settle: 1000, tile: [1280, 720], ...options });
}

const watch = { camera: false, microphone: false };

/** When the first frames came, in ms from the call of Room.connect: of any size, and of 720 lines. */
async function firsts(guest) {
  const full = () => guest.page.evaluate(() => window.probe.firstOf[720] > 0);
  await until('720 lines', full, 20_000, 20);
  return guest.page.evaluate(() => [window.probe.first, window.probe.firstOf[720]]);
}

test('who joins a running room sees the whole picture soon, and offers few lines', async () => {
  const ann = await enter('running', 'Ann', {});
  const bob = await enter('running', 'Bob', watch);
  await firsts(bob);
  const cem = await enter('running', 'Cem', watch);
  const lines = () => cem.page.evaluate(() => window.__pcs.at(-1).getTransceivers().length);
  assert.equal(await lines(), 6); // four to send with, and one slot
  const [any, full] = await firsts(cem);
  assert.ok(any < 1500 && full < 1500, `${any}, ${full} ms`);
  await until('room for the next one', async () => (await lines()) === 12, 15_000);
  for (const g of [ann, bob, cem]) await g.leave();
});

test('the first viewer of somebody whom nobody watched sees the whole picture at once', async () => {
  const ann = await enter('idle', 'Ann', {});
  const frames = async () => (await sent(ann.page)).reduce((sum, l) => sum + l.frames, 0);
  let last;
  const still = async () => {
    const now = await frames();
    const same = now > 0 && now === last;
    last = now;
    return same;
  };
  await until('nothing to be sent', still, 30_000, 1000);
  const bob = await enter('idle', 'Bob', watch);
  const [any, full] = await firsts(bob);
  assert.ok(any < 2000 && full < 2000, `${any}, ${full} ms`);
  for (const g of [ann, bob]) await g.leave();
});

test('a tile that changes its size soon has the picture for it', async () => {
  const ann = await enter('sizes', 'Ann', {});
  const bob = await enter('sizes', 'Bob', watch);
  await firsts(bob);
  await new Promise((r) => setTimeout(r, 1000));
  for (const size of [
    [320, 180],
    [1280, 720],
  ]) {
    const took = bob.page.evaluate(
      (lines) =>
        new Promise((done) => {
          const [{ el }] = window.tiles.values();
          const began = performance.now();
          const seen = (now, frame) =>
            frame.height === lines ? done(now - began) : el.requestVideoFrameCallback(seen);
          el.requestVideoFrameCallback(seen);
        }),
      size[1],
    );
    await bob.resize(size);
    const ms = await took;
    assert.ok(ms < 1500, `${size[1]} lines after ${ms} ms`);
    await new Promise((r) => setTimeout(r, 700));
  }
  for (const g of [ann, bob]) await g.leave();
});
