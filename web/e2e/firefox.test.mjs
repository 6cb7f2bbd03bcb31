// Firefox and Chromium in one call. Firefox does not gather on loopback alone: the machine needs another address, as any has.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { newFirefoxPage, startFirefox } from './support/firefox.mjs';
import { joinGuest } from './support/guest.mjs';
import { paint } from './support/painted.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let chromium;
let firefox;
before(async () => {
  server = await startServer({ name: 'firefox' });
  [chromium, firefox] = await Promise.all([startChromium(), startFirefox()]);
});
after(async () => {
  await chromium?.close();
  await firefox?.close();
  await server?.stop();
});

test('Firefox and Chromium see and hear each other', { timeout: 90_000 }, async () => {
  const fox = await joinGuest(null, server.url, { room: 'mixed', name: 'Fox', page: await newFirefoxPage(firefox) });
  const ann = await joinGuest(chromium, server.url, { room: 'mixed', name: 'Ann' });
  for (const guest of [fox, ann]) {
    await guest.frames(60, 30_000);
    await until(
      'sound',
      async () => (await guest.received()).audios > 0 && (await guest.received()).energy > 0,
      20_000,
    );
  }
  assert.deepEqual((await fox.people()).map((p) => p.name).sort(), ['Ann', 'Fox']);
  await ann.run((r) => r.chat('hello, fox'));
  await until('chat', () => fox.run((r) => r.messages.some((m) => m.text === 'hello, fox')));
  await ann.leave();
});

test('a small camera of Firefox arrives whole', { timeout: 90_000 }, async () => {
  const page = await newFirefoxPage(firefox);
  const only = { camera: false, microphone: false };
  const fox = await joinGuest(null, server.url, { room: 'small', name: 'Fox', page, ...only });
  const ann = await joinGuest(chromium, server.url, { room: 'small', name: 'Ann', ...only, tile: [1280, 720] });
  await fox.run(paint, [640, 480]);
  const size = async () => {
    const [video] = (await ann.received()).videos;
    return video?.width === 640 && video?.height === 480;
  };
  await until('a picture of 640 by 480', size, 40_000);
  await ann.leave();
});
