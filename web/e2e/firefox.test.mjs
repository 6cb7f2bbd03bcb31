// Firefox and Chromium in one call. Firefox does not gather on loopback alone: the machine needs another address, as any has.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { newFirefoxPage, startFirefox } from './support/firefox.mjs';
import { joinGuest } from './support/guest.mjs';
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
