// Join to first decoded frame, in Chromium, into a running room: `node web/e2e/measure/join.mjs [times]`. Prints the median.
import { startChromium } from '../support/browsers.mjs';
import { joinGuest } from '../support/guest.mjs';
import { startServer, until } from '../support/server.mjs';

const times = Number(process.argv[2] ?? 20);
const server = await startServer({ name: 'measure-join' });
const browser = await startChromium();
try {
  const ann = await joinGuest(browser, server.url, { room: 'measure', name: 'Ann', tile: [1280, 720] });
  await until(
    'three layers',
    async () =>
      (await ann.page.evaluate(
        async () =>
          [...(await window.__pcs[0].getStats()).values()].filter(
            (s) => s.type === 'outbound-rtp' && s.framesEncoded > 5,
          ).length,
      )) >= 3,
    20_000,
  );
  const all = [];
  for (let i = 0; i < times; i++) {
    const bob = await joinGuest(browser, server.url, { room: 'measure', name: `Bob ${i}`, tile: [640, 360] });
    all.push(await until('the first frame', () => bob.page.evaluate(() => window.firstFrame), 20_000, 10));
    await bob.leave();
  }
  all.sort((a, b) => a - b);
  console.log(
    JSON.stringify({
      what: 'join to first decoded frame, ms',
      times,
      median: Math.round(all[times >> 1]),
      min: Math.round(all[0]),
      max: Math.round(all.at(-1)),
      all: all.map(Math.round),
    }),
  );
} finally {
  await browser.close();
  await server.stop();
}
