// A participant driven through the SDK on a bare page of the server's own origin: the app's look does not matter here.
// The page shows every remote stream in a <video> of a size the test chooses.
import { newPage, received } from './browsers.mjs';
import { until } from './server.mjs';

/** Runs in the page: joins and keeps one tile per remote stream. */
async function joinInPage({ room, name, token, camera, microphone, tile, options }) {
  const { Room } = await import(`${location.origin}/sdk/parley.js`);
  document.body.replaceChildren();
  const tiles = (window.tiles = new Map());
  window.firstFrame = null;
  const clicked = performance.now();
  const r = (window.room = await Room.connect({ room, name, token, ...options }));
  window.tileSize = tile;
  const sync = () => {
    const wanted = new Map();
    for (const p of r.participants.values()) {
      if (p.id === r.me.id) continue;
      for (const [stream, kind] of [
        ['camera', 'camera'],
        ['screen', 'screen'],
      ])
        if (p.sources.some((s) => s.kind === kind)) wanted.set(`${p.id}/${stream}`, [p.id, stream]);
    }
    for (const [key, t] of tiles) {
      if (wanted.has(key)) continue;
      t.detach();
      t.el.remove();
      tiles.delete(key);
    }
    for (const [key, [id, stream]] of wanted) {
      if (tiles.has(key)) continue;
      const el = document.createElement('video');
      el.autoplay = el.playsInline = el.muted = true;
      el.style.cssText = `display:inline-block;object-fit:contain;width:${window.tileSize[0]}px;height:${window.tileSize[1]}px`;
      el.dataset.key = key;
      el.requestVideoFrameCallback?.(() => (window.firstFrame ??= performance.now() - clicked));
      window.onTile?.(el, clicked); // a measurement's own look at the frames
      document.body.append(el);
      tiles.set(key, { el, detach: r.attach(el, id, stream) });
    }
  };
  window.syncTiles = sync;
  window.syncTimer = setInterval(sync, 20);
  sync();
  await Promise.all([camera && r.setCamera(true), microphone && r.setMicrophone(true)]);
  return r.me.id;
}

export async function joinGuest(
  browser,
  url,
  {
    room,
    name = 'guest',
    token,
    camera = true,
    microphone = true,
    tile = [640, 360],
    options = {},
    page,
    settle = 0,
    ...rest
  },
) {
  const p = page ?? (await newPage(browser, rest));
  await p.goto(`${url}/`);
  if (settle) await new Promise((r) => setTimeout(r, settle)); // ms, as people look at a page before they join
  const id = await p.evaluate(joinInPage, { room, name, token, camera, microphone, tile, options });
  return {
    id,
    page: p,
    /** Runs fn(room, arg) in the page. */
    run: (fn, arg) => p.evaluate(`(${fn})(window.room, ${JSON.stringify(arg ?? null)})`),
    received: () => received(p),
    people: () =>
      p.evaluate(() =>
        [...window.room.participants.values()].map((x) => ({
          id: x.id,
          name: x.name,
          sources: x.sources.map((s) => `${s.kind}${s.muted ? ':muted' : ''}`).sort(),
        })),
      ),
    resize: (size) =>
      p.evaluate(([w, h]) => {
        window.tileSize = [w, h];
        for (const { el } of window.tiles.values()) {
          el.style.width = `${w}px`;
          el.style.height = `${h}px`;
        }
      }, size),
    /** Waits until n more frames are decoded, in at most timeout ms. */
    async frames(n, timeout = 15_000) {
      const before = (await received(p)).frames;
      await until(`${n} more frames at ${name}`, async () => (await received(p)).frames >= before + n, timeout);
    },
    async leave() {
      await p.evaluate(async () => {
        clearInterval(window.syncTimer);
        await window.room.leave();
      });
      await p.context().close();
    },
  };
}
