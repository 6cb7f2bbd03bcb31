// The app tells how connections do and why: bars that explain themselves, a paused video, the statistics. What a server says
// on a bad network is put into the connection between page and server here, so that it comes when the test wants it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { newPage, sent, startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { artifacts, startServer, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'quality' });
  browser = await startChromium();
});
afterEach(() => Promise.all(browser.contexts().map((c) => c.close())));
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A page whose messages pass through here: `say` adds one of the server's, `answer` answers the page's `stats`. */
async function between(page) {
  const wire = { say: undefined, slots: [], position: '', answer: undefined };
  await page.routeWebSocket(/\/v1\/rooms\//, (ws) => {
    const there = ws.connectToServer();
    wire.say = (message) => ws.send(JSON.stringify({ position: wire.position, ...message }));
    ws.onMessage((data) => {
      const message = JSON.parse(data);
      if (message.type === 'stats' && wire.answer)
        ws.send(JSON.stringify({ ...wire.answer, type: 'stats', id: message.id }));
      else there.send(data);
    });
    there.onMessage((data) => {
      const message = JSON.parse(data);
      if (message.type === 'slots') wire.slots = message.slots;
      wire.position = message.position ?? message.room?.position ?? wire.position;
      if (!['video', 'layers', 'quality'].includes(message.type)) ws.send(data); // those are the test's to say
    });
  });
  return wire;
}

/** Into the call by the app; returns its page and wire. */
async function enter(room) {
  const page = await newPage(browser);
  const wire = await between(page);
  await page.goto(`${server.url}/r/${room}`);
  await page.getByTestId('name').fill('Bob');
  await page.getByTestId('join').click();
  await page.getByTestId('call').waitFor();
  return { page, wire, id: (name) => page.getByTestId(name) };
}

test('bars explain themselves, and a paused video says so', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'bars', name: 'Ann', microphone: false });
  const { page, wire } = await enter('bars');
  const tile = page.locator('[data-testid=tile][data-name=Ann]');
  await tile.getByTestId('quality').click({ timeout: 30_000 });
  const note = page.locator('[data-testid=quality-note]:popover-open');
  await until('what is seen', async () => /You see \d+ × \d+ at/.test(await note.innerText()), 20_000);
  await page.screenshot({ path: join(artifacts, 'app-quality.png') });
  await page.keyboard.press('Escape');
  await note.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), 'quality');

  const slot = (await until('the slot', () => wire.slots.find((s) => s.participant === ann.id))).slot;
  wire.say({ type: 'video', slots: [{ slot, state: 'paused', reason: 'bandwidth' }] });
  await tile.getByTestId('paused').waitFor();
  assert.match(await tile.getAttribute('aria-label'), /video paused/);
  const box = await tile.boundingBox();
  await tile.getByTestId('quality').click();
  await until('why', async () => /paused.*too slow/s.test(await note.innerText()));
  await page.keyboard.press('Escape');
  await page.screenshot({ path: join(artifacts, 'app-paused.png') });
  wire.say({ type: 'video', slots: [] });
  await tile.getByTestId('paused').waitFor({ state: 'detached' });
  assert.deepEqual(await tile.boundingBox(), box); // nothing moved

  const [epoch, seq] = wire.position.split('.');
  wire.say({ type: 'quality', position: `${epoch}.${Number(seq) + 1000}`, participants: { [ann.id]: 1 } });
  await until('the bad score', async () =>
    /bad/.test(await tile.getByTestId('quality').first().getAttribute('aria-label')),
  );
  assert.deepEqual(page.problems, []);
});

test('statistics join both ends and can be kept', async () => {
  await joinGuest(browser, server.url, { room: 'figures', name: 'Ann' });
  const { page, wire, id } = await enter('figures');
  wire.answer = {
    downlink: { estimate_bps: 2_400_000, state: 'hold', source: 'twcc', loss_percent: 0.4, rtt_ms: 31, queue_ms: 3 },
    slots: [{ slot: 0, rid: 'h', spatial: 1, temporal: 2, target_bps: 500_000, reason: 'size' }],
  };
  await id('more').click();
  await id('open-stats').click();
  const panel = id('stats-panel');
  await until(
    'the estimate',
    async () => /Your line takes\s+2.4 Mbit\/s, steady/.test(await panel.innerText()),
    20_000,
  );
  const camera = panel.locator('[data-testid=stream][data-kind=camera][data-direction=in]');
  await until('the reason', async () => /as sharp as its place/.test(await camera.innerText()), 20_000);
  await camera.locator('summary').click();
  await until('the layer', async () => /h, size 2, rate 3/.test(await camera.innerText()));
  await page.screenshot({ path: join(artifacts, 'app-stats.png') });
  const [download] = await Promise.all([page.waitForEvent('download'), id('stats-save').click()]);
  const saved = JSON.parse(readFileSync(await download.path(), 'utf8'));
  assert.equal(saved.room, 'figures');
  assert.ok(saved.looks.length > 0 && saved.looks.at(-1).streams.some((s) => s.reason === 'size'));
  assert.deepEqual(page.problems, []);
});

test('layers that nobody watches are not encoded, and come back without negotiation', async () => {
  const page = await newPage(browser);
  const wire = await between(page);
  const ann = await joinGuest(browser, server.url, { room: 'layers', name: 'Ann', microphone: false, page });
  const frames = async () => Object.fromEntries((await sent(ann.page)).map((l) => [l.rid, l.frames]));
  await until('three layers', async () => Object.values(await frames()).filter((n) => n > 5).length === 3, 60_000);
  const answers = () => page.evaluate(() => window.__pcs.at(-1).remoteDescription.sdp);
  const before = await answers();
  wire.say({ type: 'layers', kind: 'camera', wanted: ['q'] });
  let last;
  await until(
    'the upper two to stop',
    async () => {
      const now = await frames();
      const stopped = last && now.f === last.f && now.h === last.h && now.q > last.q;
      last = now;
      return stopped;
    },
    20_000,
    1000,
  );
  wire.say({ type: 'layers', kind: 'camera', wanted: ['q', 'h', 'f'] });
  await until('the largest to come back', async () => (await frames()).f > last.f + 5, 20_000);
  assert.equal(await answers(), before);
});
