// Every codec in layers: simulcast, or all sizes in one stream (SVC). What is left out of a stream must not be missed by the
// decoder of another browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium, stats } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'layers' });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What the page sends: codec, scalability mode and width of each encoding that moves. */
async function encodings(page) {
  const all = await stats(page);
  const codecs = new Map(all.filter((s) => s.type === 'codec').map((s) => [s.id, s.mimeType]));
  return all
    .filter((s) => s.type === 'outbound-rtp' && s.kind === 'video' && s.framesEncoded > 0)
    .map((s) => ({
      codec: codecs.get(s.codecId),
      mode: s.scalabilityMode,
      width: s.frameWidth,
      frames: s.framesEncoded,
    }));
}

for (const { name, options, codec, mode, streams } of [
  { name: 'VP8 simulcast', options: { codec: 'vp8' }, codec: 'video/VP8', mode: 'L1T3', streams: 3 },
  { name: 'H264 simulcast', options: { codec: 'h264' }, codec: 'video/H264', mode: 'L1T3', streams: 3 },
  { name: 'VP9 L3T3_KEY', options: { codec: 'vp9', layers: 'svc' }, codec: 'video/VP9', mode: 'L3T3_KEY', streams: 1 },
  { name: 'AV1 L3T3_KEY', options: { codec: 'av1', layers: 'svc' }, codec: 'video/AV1', mode: 'L3T3_KEY', streams: 1 },
]) {
  test(`${name}: the layer follows the tile, and decodes`, async () => {
    const room = `layers-${options.codec}`;
    const ann = await joinGuest(browser, server.url, { room, name: 'Ann', microphone: false, options });
    const viewer = { room, camera: false, microphone: false };
    const bob = await joinGuest(browser, server.url, { ...viewer, name: 'Bob', tile: [1280, 720] });
    const eve = await joinGuest(browser, server.url, { ...viewer, name: 'Eve', tile: [160, 90] });
    const width = async (guest) => (await guest.received()).videos[0]?.width;
    const sees = (guest, want) => until(`${want} wide`, async () => (await width(guest)) === want, 40_000);

    await until('all encodings', async () => (await encodings(ann.page)).length === streams, 60_000);
    await sees(bob, 1280);
    await sees(eve, 320);
    const sent = (await encodings(ann.page))[0];
    assert.equal(sent.codec, codec);
    assert.equal(sent.mode, mode);

    for (const [tile, want] of [
      [[600, 338], 640],
      [[160, 90], 320],
      [[1280, 720], 1280],
    ]) {
      await bob.resize(tile);
      await sees(bob, want);
      await bob.frames(15);
      assert.equal(await width(eve), 320, 'what one viewer is shown is no matter of the other');
    }
    await eve.frames(15);
    // A decoder that misses what was left out asks for a keyframe again and again.
    const asked = (await bob.received()).videos[0].pli + (await eve.received()).videos[0].pli;
    assert.ok(asked <= 4, `${asked} keyframes were asked for`);
    for (const g of [ann, bob, eve]) await g.leave();
  });
}

test('AV1 with temporal layers alone', async () => {
  const room = 'layers-l1t3';
  const ann = await joinGuest(browser, server.url, {
    room,
    name: 'Ann',
    microphone: false,
    options: { codec: 'av1', layers: 'simulcast' },
  });
  const bob = await joinGuest(browser, server.url, {
    room,
    name: 'Bob',
    camera: false,
    microphone: false,
    tile: [300, 169],
  });
  await bob.frames(60, 60_000);
  const sent = (await encodings(ann.page))[0];
  assert.equal(sent.codec, 'video/AV1');
  assert.equal(sent.mode, 'L1T3');
  for (const g of [ann, bob]) await g.leave();
});
