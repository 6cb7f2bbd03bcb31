// A page that never joined follows who comes and goes: by SSE and by long-poll, across a cut.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newPage, startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startProxy } from './support/proxy.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
let proxy;
before(async () => {
  server = await startServer({ name: 'presence' });
  proxy = await startProxy(server.port);
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.stop();
});

/** Runs in the page: only what every browser has, no SDK. Keeps a list of names by folding the events. */
const bySSE = (room) => {
  window.names = null;
  window.positions = [];
  const people = new Map();
  const show = () => (window.names = [...people.values()].sort());
  const source = new EventSource(`/v1/rooms/${room}/events`);
  const on = (type, fold) =>
    source.addEventListener(type, (e) => {
      window.positions.push(e.lastEventId);
      fold(JSON.parse(e.data));
      show();
    });
  on('snapshot', (s) => {
    people.clear();
    for (const p of s.participants) people.set(p.id, p.name);
  });
  on('joined', (e) => people.set(e.participant.id, e.participant.name));
  on('left', (e) => people.delete(e.participant));
};
const byPoll = async (room) => {
  window.names = null;
  window.positions = [];
  const people = new Map();
  let after = '';
  for (;;) {
    try {
      const r = await (await fetch(`/v1/rooms/${room}/events?wait=5s${after && `&after=${after}`}`)).json();
      after = r.position;
      window.positions.push(after);
      if (r.snapshot) {
        people.clear();
        for (const p of r.snapshot.participants) people.set(p.id, p.name);
      }
      for (const e of r.events) {
        if (e.type === 'joined') people.set(e.participant.id, e.participant.name);
        if (e.type === 'left') people.delete(e.participant);
      }
      window.names = [...people.values()].sort();
    } catch {
      await new Promise((r) => setTimeout(r, 200));
    }
  }
};

for (const [how, watch] of [
  ['SSE', bySSE],
  ['long-poll', byPoll],
])
  test(`a page follows by ${how}, across a cut`, { timeout: 90_000 }, async () => {
    const room = `watched-${how.toLowerCase()}`;
    const page = await newPage(browser);
    await page.goto(`${proxy.url}/`);
    await page.evaluate(`void (${watch})(${JSON.stringify(room)})`);
    const sees = (...names) =>
      until(
        `the page to see ${names}`,
        async () => JSON.stringify(await page.evaluate(() => window.names)) === JSON.stringify(names),
        20_000,
      );
    const none = { camera: false, microphone: false };
    await sees();
    const ann = await joinGuest(browser, server.url, { room, name: 'Ann', ...none });
    await sees('Ann');
    const bob = await joinGuest(browser, server.url, { room, name: 'Bob', ...none });
    await sees('Ann', 'Bob');
    proxy.cut();
    await bob.leave();
    const eve = await joinGuest(browser, server.url, { room, name: 'Eve', ...none });
    proxy.restore();
    await sees('Ann', 'Eve');
    await eve.leave();
    await ann.leave();
    await sees();
    if (how === 'SSE') {
      const seqs = (await page.evaluate(() => window.positions)).map((p) => Number(p.split('.')[1]));
      assert.deepEqual(
        seqs,
        [...new Set(seqs)].sort((a, b) => a - b),
        'positions rise, none is seen twice',
      );
    }
    await page.context().close();
  });

test('any number of tabs follow a room by one feed, and another goes on with it when its tab is closed', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'tabs', name: 'Ann', camera: false, microphone: false });
  const context = await browser.newContext();
  await context.route('**/blank', (route) => route.fulfill({ contentType: 'text/html', body: '<title>tab</title>' }));
  const tabs = [];
  for (let i = 0; i < 8; i++) {
    const page = await context.newPage();
    await page.goto(`${server.url}/blank`);
    await page.evaluate(async () => {
      const { Presence } = await import(`${location.origin}/sdk/parley.js`);
      window.watch = Presence.watch({ room: 'tabs' });
    });
    await knows(page, ['Ann']);
    tabs.push(page);
  }
  await tabs[0].close();
  const ben = await joinGuest(browser, server.url, { room: 'tabs', name: 'Ben', camera: false, microphone: false });
  for (const page of tabs.slice(1)) await knows(page, ['Ann', 'Ben']);
  await context.close();
  await ann.leave();
  await ben.leave();
});

/** Waits until a tab's watch is live and has those names. */
function knows(page, names) {
  const seen = () => page.evaluate(() => [watch.state, ...[...watch.participants.values()].map((p) => p.name).sort()]);
  return until(`a tab that knows ${names}`, async () => `${await seen()}` === `live,${names}`, 15_000);
}
