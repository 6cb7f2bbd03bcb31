// A 50 MB file goes straight from browser to browser; the hashes are equal, and what was saved is what was sent.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { artifacts, startServer, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'files' });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Seeded bytes, made the same way in the page and here: a linear congruential generator, 4 bytes a step. */
const makeFile = (r, { size, to }) => {
  const words = new Uint32Array(size / 4);
  let x = 12345;
  for (let i = 0; i < words.length; i++) words[i] = x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  window.transfer = r.files.send(new File([words], 'fifty.bin', { type: 'application/octet-stream' }), to);
};
const watch = (r) => {
  window.incoming = null;
  r.on('file', (t) => (window.incoming = t));
};
const noMedia = { camera: false, microphone: false };

test('50 MB arrive whole', { timeout: 180_000 }, async () => {
  const ann = await joinGuest(browser, server.url, { room: 'files', name: 'Ann', ...noMedia });
  const bob = await joinGuest(browser, server.url, { room: 'files', name: 'Bob', ...noMedia });
  // without the save picker, which no test can drive, the file goes to disk by OPFS
  await bob.page.evaluate(() => delete window.showSaveFilePicker);
  await bob.run(watch);
  const size = 50 * 1024 * 1024;
  await ann.run(makeFile, { size, to: bob.id });
  await until('the offer', () => bob.page.evaluate(() => window.incoming?.name === 'fifty.bin'));
  assert.deepEqual(await bob.page.evaluate(() => [window.incoming.size, window.incoming.state]), [size, 'offered']);
  await bob.page.evaluate(() => void window.incoming.accept());
  const state = (g) => g.page.evaluate(() => (window.incoming ?? window.transfer).state);
  await until('both to be done', async () => (await state(bob)) === 'done' && (await state(ann)) === 'done', 120_000);
  const [hashIn, hashOut] = [
    await bob.page.evaluate(() => window.incoming.sha256),
    await ann.page.evaluate(() => window.transfer.sha256),
  ];
  assert.match(hashIn, /^[0-9a-f]{64}$/);
  assert.equal(hashIn, hashOut);

  const [download] = await Promise.all([
    bob.page.waitForEvent('download'),
    bob.page.evaluate(() => void window.incoming.save()),
  ]);
  const path = `${artifacts}/fifty.bin`;
  await download.saveAs(path);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  assert.equal(hash.digest('hex'), hashOut, 'the saved file has the same hash');
  for (const g of [ann, bob]) await g.leave();
});

test('declined and cancelled transfers end for both', async () => {
  const ann = await joinGuest(browser, server.url, { room: 'decline', name: 'Ann', ...noMedia });
  const bob = await joinGuest(browser, server.url, { room: 'decline', name: 'Bob', ...noMedia });
  await bob.page.evaluate(() => delete window.showSaveFilePicker);
  await bob.run(watch);
  await ann.run(makeFile, { size: 4096, to: bob.id });
  await until('the offer', () => bob.page.evaluate(() => window.incoming !== null));
  await bob.page.evaluate(() => window.incoming.reject());
  await until('the refusal', () => ann.page.evaluate(() => window.transfer.state === 'rejected'));

  await bob.page.evaluate(() => (window.incoming = null));
  await ann.run(makeFile, { size: 200 * 1024 * 1024, to: bob.id });
  await until('the offer', () => bob.page.evaluate(() => window.incoming !== null));
  await bob.page.evaluate(() => void window.incoming.accept().catch(() => {}));
  await until('bytes', () => bob.page.evaluate(() => window.incoming.bytes > 0));
  await ann.page.evaluate(() => window.transfer.cancel());
  await until('the end at Bob', () => bob.page.evaluate(() => window.incoming.state === 'cancelled'));
  for (const g of [ann, bob]) await g.leave();
});
