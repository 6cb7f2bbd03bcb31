// Two people, then a third: pictures, sound, mute, screen, leaving.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'call' });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  assert.deepEqual(await server?.stop(), { code: 0, signal: null }, 'the server ends with exit code 0');
});

test('two people see and hear each other', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'two', name: 'Ann' });
  const bob = await joinGuest(browser, server.url, { room: 'two', name: 'Bob' });
  for (const guest of [ann, bob]) {
    await guest.frames(60);
    await until('audio energy', async () => (await guest.received()).energy > 0);
    assert.equal((await guest.received()).videos.length, 1);
    assert.deepEqual((await guest.people()).map((p) => p.name).sort(), ['Ann', 'Bob']);
    assert.deepEqual(guest.page.problems, []);
  }
  await ann.leave();
  await until('Bob to be alone', async () => (await bob.people()).length === 1);
  await bob.leave();
});

test('who joins late gets a picture and sound', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'late', name: 'Ann' });
  const bob = await joinGuest(browser, server.url, { room: 'late', name: 'Bob', camera: false });
  await bob.frames(90);
  const eve = await joinGuest(browser, server.url, { room: 'late', name: 'Eve', camera: false, microphone: false });
  await eve.frames(30, 5_000);
  await until('audio energy', async () => (await eve.received()).energy > 0);
  for (const g of [ann, bob, eve]) await g.leave();
});

test('mute stops the sound and tells everybody; unmute brings it back', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'mute', name: 'Ann', camera: false });
  const bob = await joinGuest(browser, server.url, { room: 'mute', name: 'Bob', camera: false, microphone: false });
  const sources = async () => (await bob.people()).find((p) => p.name === 'Ann')?.sources;
  await until('sound', async () => (await bob.received()).energy > 0);
  await ann.run((r) => r.setMicrophone(false));
  await until('the muted mark', async () => (await sources())?.join() === 'microphone:muted');
  await until(
    'silence',
    async () => {
      const one = (await bob.received()).energy;
      await new Promise((r) => setTimeout(r, 1500));
      return (await bob.received()).energy - one < 1e-6;
    },
    15_000,
  );
  await ann.run((r) => r.setMicrophone(true));
  await until('the mark gone', async () => (await sources())?.join() === 'microphone');
  const quiet = (await bob.received()).energy;
  await until('sound again', async () => (await bob.received()).energy > quiet + 1e-4);
  for (const g of [ann, bob]) await g.leave();
});

test('camera off and on again', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'camera', name: 'Ann', microphone: false });
  const bob = await joinGuest(browser, server.url, { room: 'camera', name: 'Bob', camera: false, microphone: false });
  await bob.frames(30);
  await ann.run((r) => r.setCamera(false));
  await until('no more frames', async () => {
    const one = (await bob.received()).frames;
    await new Promise((r) => setTimeout(r, 1000));
    return (await bob.received()).frames === one;
  });
  await ann.run((r) => r.setCamera(true));
  await bob.frames(30);
  for (const g of [ann, bob]) await g.leave();
});

test('a screen is shared beside the camera, and ends', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'screen', name: 'Ann' });
  const bob = await joinGuest(browser, server.url, { room: 'screen', name: 'Bob', camera: false, microphone: false });
  await bob.frames(30);
  await ann.run((r) => r.setScreen(true));
  await until(
    'two videos',
    async () => (await bob.received()).videos.filter((v) => v.frames > 20).length === 2,
    20_000,
  );
  await ann.run((r) => r.setScreen(false));
  await until(
    'the screen to be gone',
    async () => !(await bob.people()).find((p) => p.name === 'Ann').sources.includes('screen'),
  );
  await bob.frames(30);
  for (const g of [ann, bob]) await g.leave();
});

test('a closed page leaves at once', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'close', name: 'Ann', camera: false, microphone: false });
  const bob = await joinGuest(browser, server.url, { room: 'close', name: 'Bob', camera: false, microphone: false });
  await until('both', async () => (await ann.people()).length === 2);
  await bob.page.close();
  await until('Bob to be gone', async () => (await ann.people()).length === 1, 2_000);
  await ann.leave();
});

test('six people: everybody decodes everybody', async () => {
  const guests = [];
  for (let i = 0; i < 4; i++)
    guests.push(await joinGuest(browser, server.url, { room: 'many', name: `g${i}`, tile: [160, 90] }));
  // two more only watch: the slots grow past the first step
  for (let i = 4; i < 6; i++)
    guests.push(await joinGuest(browser, server.url, { room: 'many', name: `g${i}`, tile: [160, 90], camera: false }));
  for (const [i, g] of guests.entries())
    await until(
      `videos at g${i}`,
      async () => (await g.received()).videos.filter((v) => v.frames > 10).length === (i < 4 ? 3 : 4),
      30_000,
    );
  for (const g of guests) await g.leave();
});
