// The SDK asks for what can be seen, sends what can be decoded, and tells what it knows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newPage, sent, startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startServer, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'adaptive' });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const pair = async (room, options = {}, tile = [640, 360]) => [
  await joinGuest(browser, server.url, { room, name: 'Ann', options }),
  await joinGuest(browser, server.url, { room, name: 'Bob', camera: false, microphone: false, tile }),
];
const frames = async (guest) => (await guest.received()).frames;
const camera = (guest) =>
  guest.run(async (room) => (await room.stats()).streams.find((s) => s.direction === 'in' && s.kind === 'camera'));
const style = (guest, css) =>
  guest.page.evaluate((css) => {
    for (const { el } of window.tiles.values()) el.style.cssText += `;${css}`;
  }, css);

/** Waits until no frame comes for a second. */
async function stands(what, guest) {
  let before = -1;
  await until(
    what,
    async () => {
      const now = await frames(guest);
      const same = now === before;
      before = now;
      return same;
    },
    20_000,
    1000,
  );
}

test('what cannot be seen is not sent', async () => {
  const [ann, bob] = await pair('seen');
  await bob.frames(10, 30_000);
  await style(bob, 'position:absolute;top:5000px');
  await stands('the picture to stop out of sight', bob);
  await style(bob, 'position:static');
  await bob.frames(10);

  // A hidden page gets none but for elements that shall not adapt.
  await bob.page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => window.sight });
    window.sight = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await stands('the picture to stop on a hidden page', bob);
  await bob.run((room, id) => {
    window.always = document.createElement('video');
    document.body.append(window.always);
    window.stopAlways = room.attach(window.always, id, 'camera', { adaptive: false });
  }, ann.id);
  await bob.frames(10);
  await bob.run(() => window.stopAlways());
  await stands('the picture to stop again', bob);
  await bob.page.evaluate(() => {
    window.sight = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await bob.frames(10);
  for (const g of [ann, bob]) await g.leave();
});

test('a picture in picture stays while the page is hidden, at its own size', async () => {
  const [ann, bob] = await pair('floating');
  await bob.frames(10, 30_000);
  await bob.page.evaluate(() => {
    // No window of the system's is at hand: the page takes this for one of 320 by 180.
    const el = [...window.tiles.values()][0].el;
    const floating = Object.assign(new EventTarget(), { width: 320, height: 180 });
    Object.defineProperty(document, 'pictureInPictureElement', { configurable: true, get: () => el });
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
    const enter = Object.assign(new Event('enterpictureinpicture', { bubbles: true }), {
      pictureInPictureWindow: floating,
    });
    el.dispatchEvent(enter);
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await until('the small layer', async () => (await bob.received()).videos[0]?.width === 320, 20_000);
  await bob.frames(10);
  for (const g of [ann, bob]) await g.leave();
});

test('somebody who cannot decode what is sent gets another codec', async () => {
  const [ann, bob] = await pair('codec', { codec: 'vp9', layers: 'simulcast' });
  await until('VP9', async () => (await camera(bob))?.codec === 'VP9', 30_000);
  await bob.run((room, to) => room.signal(to, { app: 'parley.codec', decodes: ['VP8', 'H264'] }), ann.id);
  await until('VP8', async () => (await camera(bob))?.codec === 'VP8', 20_000);
  await bob.frames(20);
  assert.equal(await ann.run((room) => room.mediaState), 'connected');
  for (const g of [ann, bob]) await g.leave();
});

/** Runs in a page before all else: makes it a browser that knows VP8 alone. */
function vp8Only() {
  const known = (c) => /VP8|rtx|opus|red/i.test(c.mimeType);
  for (const end of [RTCRtpReceiver, RTCRtpSender]) {
    const all = end.getCapabilities.bind(end);
    end.getCapabilities = (kind) => ({ ...all(kind), codecs: all(kind).codecs.filter(known) });
  }
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (kind, init) {
    const t = add.call(this, kind, init);
    if (kind === 'video') t.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs);
    return t;
  };
}

test('a browser that does not take the codec is told so by the server, and asks for another', async () => {
  const ann = await joinGuest(browser, server.url, {
    room: 'told',
    name: 'Ann',
    options: { codec: 'vp9', layers: 'simulcast' },
  });
  const page = await newPage(browser);
  await page.addInitScript(vp8Only);
  await page.addInitScript(() => {
    window.said = [];
    const make = window.WebSocket;
    window.WebSocket = class extends make {
      constructor(...args) {
        super(...args);
        this.addEventListener('message', (e) => window.said.push(String(e.data)));
      }
    };
  });
  const bob = await joinGuest(browser, server.url, {
    room: 'told',
    name: 'Bob',
    camera: false,
    microphone: false,
    page,
  });
  await until('VP8', async () => (await camera(bob))?.codec === 'VP8', 30_000);
  await bob.frames(20);
  const told = await page.evaluate(
    () => window.said.filter((m) => /"type":"video"/.test(m) && /"reason":"codec"/.test(m)).length,
  );
  assert.ok(told > 0, 'the server said why nothing came');
  for (const g of [ann, bob]) await g.leave();
});

test('the figures join what both ends know', async () => {
  const [ann, bob] = await pair('figures');
  await until('two looks', async () => ((await camera(bob))?.bitrate ?? 0) > 0, 30_000);
  const stats = await bob.run((room) => room.stats());
  assert.equal(stats.state, 'connected');
  assert.equal(stats.path.transport, 'udp');
  assert.ok(stats.received > 0 && stats.sent === 0);
  const kinds = stats.streams.map((s) => `${s.direction} ${s.kind} ${s.codec}`);
  assert.ok(kinds.includes('in camera VP8'), kinds.join());
  const own = (await ann.run((room) => room.stats())).streams.filter((s) => s.direction === 'out');
  assert.ok(own.some((s) => s.kind === 'camera' && s.rid === 'f' && s.scalability === 'L1T3'));
  for (const g of [ann, bob]) await g.leave();
});

test('the largest size is given up where the machine is too slow, and other layers go on', async () => {
  const [ann, bob] = await pair('slow', {}, [1280, 720]);
  await until('the full picture', async () => (await bob.received()).videos[0]?.width === 1280, 60_000);
  // What the browser would say of an encoder that does not keep up.
  await ann.page.evaluate(() => {
    const pc = window.__pcs.at(-1);
    const native = pc.getStats.bind(pc);
    pc.getStats = async () => {
      const entries = [...(await native())];
      return new Map(
        entries.map(([id, e]) => [id, e.type === 'outbound-rtp' ? { ...e, qualityLimitationReason: 'cpu' } : e]),
      );
    };
  });
  const top = async () => (await sent(ann.page)).find((l) => l.rid === 'f')?.frames;
  let before;
  await until(
    'the top layer to stop',
    async () => {
      const now = await top();
      const same = now === before;
      before = now;
      return same;
    },
    30_000,
    1000,
  );
  await until('the half picture', async () => (await bob.received()).videos[0]?.width === 640, 20_000);
  await bob.frames(20);
  for (const g of [ann, bob]) await g.leave();
});

test('a size that nobody watches is not encoded', async () => {
  const [ann, bob] = await pair('watched', {}, [1280, 720]);
  const frames = async () => Object.fromEntries((await sent(ann.page)).map((l) => [l.rid, l.frames]));
  await until('the full picture', async () => (await bob.received()).videos[0]?.width === 1280, 60_000);
  await bob.resize([160, 90]);
  let last;
  await until(
    'the larger two to stop',
    async () => {
      const now = await frames();
      const stopped = last && now.f === last.f && now.h === last.h && now.q > last.q;
      last = now;
      return stopped;
    },
    30_000,
    1500,
  );
  await bob.resize([1280, 720]);
  await until('the full picture again', async () => (await bob.received()).videos[0]?.width === 1280, 20_000);
  const stats = await bob.run((room) => room.stats());
  assert.ok(stats.downlink?.source, JSON.stringify(stats.downlink));
  assert.ok(stats.streams.find((s) => s.kind === 'camera')?.reason);
  for (const g of [ann, bob]) await g.leave();
});
