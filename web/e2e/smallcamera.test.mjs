// A camera of any size arrives whole, and so it does when its size changes in the call, or another takes its place.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { paint, resize } from './support/painted.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'smallcamera' });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const only = { camera: false, microphone: false };

test('the largest encoding is the whole picture, whatever its size is and becomes', { timeout: 120_000 }, async () => {
  const ann = await joinGuest(browser, server.url, { room: 'small', name: 'Ann', ...only });
  const bob = await joinGuest(browser, server.url, { room: 'small', name: 'Bob', ...only, tile: [1280, 720] });
  const arrives = async (width, height) => {
    const size = async () => {
      const [video] = (await bob.received()).videos;
      return video?.width === width && video?.height === height;
    };
    await until(`a picture of ${width} by ${height}`, size, 30_000);
    await until('a viewer who is told that it is the best', async () => {
      const { streams } = await bob.run((r) => r.stats());
      return streams.find((s) => s.direction === 'in' && s.kind === 'camera')?.reason === 'best';
    });
  };
  await ann.run(paint, [640, 480]);
  await arrives(640, 480);
  await ann.run(resize, [320, 240]); // as a track whose constraints change
  await arrives(320, 240);
  await ann.run(resize, [360, 640]); // a phone that is turned
  await arrives(360, 640);
  await ann.run(paint, [1280, 720]); // another camera
  await arrives(1280, 720);
  const layers = await ann.run((r) => r.stats().then((s) => s.streams.filter((x) => x.active).map((x) => x.rid)));
  assert.deepEqual(layers.sort(), ['f', 'h', 'q']);
  await ann.leave();
  await bob.leave();
});
