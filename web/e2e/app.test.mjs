// The app itself, used as a person would: first page, check, call, chat, screen, files, leaving, errors. A screenshot of every
// page goes to artifacts/ at desktop and phone size, light and dark.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { newPage, photographFailure, received, startChromium } from './support/browsers.mjs';
import { artifacts, startServer, token, until } from './support/server.mjs';

let server;
let browser;
before(async () => {
  server = await startServer({ name: 'app' });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// what the pages showed when a test failed
afterEach(async (t) => {
  await photographFailure(browser, t);
  await Promise.all(browser.contexts().map((c) => c.close()));
});

const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true };
const id = (page, name) => page.getByTestId(name);
const shot = (page, name) => page.screenshot({ path: join(artifacts, `app-${name}.png`) });

/** From the first page into the call, by what a person sees and clicks. */
async function enter(page, { room, name, camera = true, microphone = true, snap, base = server.url }) {
  await page.goto(`${base}/`);
  await id(page, 'name').fill(name);
  await id(page, 'room').fill(room);
  if (snap) await shot(page, `${snap}-first`);
  await id(page, 'continue').click();
  await id(page, 'check').waitFor();
  for (const [kind, wanted] of [
    ['camera', camera],
    ['microphone', microphone],
  ]) {
    const button = id(page, `check-${kind}`);
    if (((await button.getAttribute('aria-pressed')) === 'true') !== wanted) await button.click();
  }
  if (snap) {
    if (microphone)
      await until(
        'the level meter to move',
        async () => Number(await id(page, 'meter').getAttribute('aria-valuenow')) > 0,
      );
    await shot(page, `${snap}-check`);
  }
  await id(page, 'join').click();
  await until(
    `${name} to be in`,
    async () => (await id(page, 'call').getAttribute('data-state')) === 'connected',
    15_000,
  );
}
const pages = async (...options) => Promise.all(options.map((o) => newPage(browser, o)));
const close = (...all) => Promise.all(all.map((p) => p.context().close()));
const sees = (page, frames = 30) => until('pictures', async () => (await received(page)).frames > frames, 20_000);

test('two people meet, talk, chat, share a screen and leave', { timeout: 120_000 }, async () => {
  const [ann, bob] = await pages({}, phone);
  await enter(ann, { room: 'app-room', name: 'Ann', snap: 'desktop' });
  await shot(ann, 'desktop-alone');
  const watcher = await newPage(browser);
  await watcher.goto(`${server.url}/`);
  await id(watcher, 'room').fill('app-room');
  await until('the first page to say who is in', async () => /Ann/.test(await id(watcher, 'presence').textContent()));
  await shot(watcher, 'desktop-first-with-presence');
  await enter(bob, { room: 'app-room', name: 'Bob', snap: 'phone' });
  await Promise.all([sees(ann), sees(bob)]);
  await until('sound', async () => (await received(ann)).energy > 0 && (await received(bob)).energy > 0);
  await shot(ann, 'desktop-call');
  await shot(bob, 'phone-call');

  // chat
  await ann.keyboard.press('c');
  await until('the cursor in the field', () =>
    ann.evaluate(() => document.activeElement?.getAttribute('data-testid') === 'chat-text'),
  );
  await ann.keyboard.type('Hello Bob, see ');
  await ann.keyboard.press('Escape');
  await id(ann, 'chat-panel').waitFor({ state: 'detached' });
  const focused = () =>
    ann.evaluate(
      () => document.activeElement?.getAttribute('data-testid') ?? document.activeElement?.outerHTML.slice(0, 80),
    );
  await until('the focus to be back', async () =>
    (await focused()) === 'call' ? true : Promise.reject(new Error(await focused())),
  );
  await ann.keyboard.press('c');
  await until('the draft', async () => (await id(ann, 'chat-text').inputValue()) === 'Hello Bob, see ');
  await until('the cursor in it', async () => (await focused()) === 'chat-text');
  await ann.keyboard.type('https://example.org/agenda');
  await ann.keyboard.press('Enter');
  await until('the unread mark', () => id(bob, 'unread').isVisible());
  await id(bob, 'chat').click();
  await until('the message', async () => /Hello Bob/.test(await id(bob, 'message').first().textContent()));
  await shot(ann, 'desktop-chat');
  await shot(bob, 'phone-chat');
  await id(bob, 'chat').click();
  await id(ann, 'chat').click();

  // mute by key, seen by the other
  await ann.keyboard.press('m');
  await until('the muted state', async () => (await id(ann, 'microphone').getAttribute('aria-pressed')) === 'false');
  await ann.keyboard.press('m');

  // screen
  await id(ann, 'screen').click();
  await until(
    'the screen beside the camera',
    async () =>
      (await id(bob, 'tile').evaluateAll((all) => all.filter((t) => t.dataset.stream === 'screen').length)) === 1,
    15_000,
  );
  await until(
    'two videos decoded',
    async () => (await received(bob)).videos.filter((v) => v.frames > 10).length === 2,
    20_000,
  );
  await shot(ann, 'desktop-sharing');
  await shot(bob, 'phone-screen');
  await id(ann, 'screen').click();
  await until(
    'the screen to be gone',
    async () =>
      (await id(bob, 'tile').evaluateAll((all) => all.filter((t) => t.dataset.stream === 'screen').length)) === 0,
  );

  // people
  await id(ann, 'people').click();
  await until('two people', async () => (await id(ann, 'person').count()) === 2);
  await shot(ann, 'desktop-people');

  await id(bob, 'leave').click();
  await id(bob, 'over').waitFor();
  assert.equal(await id(bob, 'over').getAttribute('data-code'), 'left');
  await shot(bob, 'phone-left');
  await until('Ann to be alone', async () => (await id(ann, 'person').count()) === 1);
  for (const p of [ann, bob, watcher]) assert.deepEqual(p.problems, []);
  await close(ann, bob, watcher);
});

test('a file is offered, accepted, checked and saved', { timeout: 90_000 }, async () => {
  const [ann, bob] = await pages({}, phone);
  for (const p of [ann, bob]) await p.addInitScript(() => delete window.showSaveFilePicker);
  await enter(ann, { room: 'app-file', name: 'Ann', camera: false, microphone: false });
  await enter(bob, { room: 'app-file', name: 'Bob', camera: false, microphone: false });
  await until('Bob at Ann', async () => (await id(ann, 'tile').count()) === 2);
  const path = join(artifacts, 'report.bin');
  writeFileSync(path, Buffer.alloc(5 << 20, 'parley'));
  await id(ann, 'file-input').setInputFiles(path);
  await id(bob, 'accept').waitFor();
  await shot(bob, 'phone-file-offer');
  await shot(ann, 'desktop-file-offered');
  await id(bob, 'accept').click();
  await until(
    'done at both',
    async () =>
      (await id(ann, 'file').getAttribute('data-state')) === 'done' &&
      (await id(bob, 'file').getAttribute('data-state')) === 'done',
    30_000,
  );
  await shot(bob, 'phone-file-done');
  const [download] = await Promise.all([bob.waitForEvent('download'), id(bob, 'save').click()]);
  assert.equal(download.suggestedFilename(), 'report.bin');
  await download.saveAs(join(artifacts, 'report-received.bin'));
  await close(ann, bob);
});

test('twenty files are one question; a folder and what is gone are named at once', { timeout: 120_000 }, async () => {
  const [ann, bob] = await pages({}, phone);
  for (const p of [ann, bob]) await p.addInitScript(() => delete window.showSaveFilePicker);
  await enter(ann, { room: 'app-batch', name: 'Ann', camera: false, microphone: false });
  await enter(bob, { room: 'app-batch', name: 'Bob', camera: false, microphone: false });
  await until('Bob at Ann', async () => (await id(ann, 'tile').count()) === 2);
  const photo = (i) => ({ name: `IMG_${i}.jpg`, mimeType: 'image/jpeg', buffer: Buffer.alloc(200_000, i) });
  await id(ann, 'file-input').setInputFiles(Array.from({ length: 20 }, (_, i) => photo(i)));
  await id(bob, 'accept').waitFor();
  assert.equal(await id(bob, 'accept').count(), 1);
  assert.match(await id(bob, 'file-line').textContent(), /Ann wants to send you these, 4 MB/);
  await shot(bob, 'phone-batch-offer');
  await id(bob, 'accept').click();
  const done = (page) => page.locator('[data-testid=file][data-state=done]').count();
  await until('all at both', async () => (await done(bob)) === 20 && (await done(ann)) === 20, 60_000);
  await shot(bob, 'phone-batch-done');
  await shot(ann, 'desktop-batch-done');
  // what was not saved is not lost without a word
  await id(bob, 'leave').click();
  await id(bob, 'unsaved-dialog').waitFor();
  await shot(bob, 'phone-unsaved');
  const downloads = [];
  bob.on('download', (d) => downloads.push(d.suggestedFilename()));
  await id(bob, 'save-unsaved').click();
  await until('twenty downloads', () => new Set(downloads).size === 20, 30_000);

  const folder = join(mkdtempSync(join(tmpdir(), 'parley-e2e-')), 'holiday');
  mkdirSync(folder);
  const cdp = await ann.context().newCDPSession(ann);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'])
    await cdp.send('Input.dispatchDragEvent', { type, x: 600, y: 300, data });
  await until('the word', async () => /“holiday” is a folder/.test(await id(ann, 'notice').first().textContent()));
  await shot(ann, 'desktop-folder');

  const gone = join(folder, 'gone.txt');
  writeFileSync(gone, 'here');
  await id(ann, 'file-input').setInputFiles(gone);
  await id(bob, 'accept').waitFor();
  rmSync(gone);
  await id(bob, 'accept').click();
  const at = (page) => page.locator('[data-name="gone.txt"][data-state=failed]').textContent();
  await until(
    'both to know',
    async () => /The file is gone|cannot be read/.test(await at(ann)) && /could not read it/.test(await at(bob)),
  );
  await close(ann, bob);
});

test('twelve tiles fit, at every size', { timeout: 120_000 }, async () => {
  const [ann] = await pages({ viewport: { width: 1440, height: 900 } });
  await enter(ann, { room: 'app-many', name: 'Ann', microphone: false });
  const others = [];
  for (let i = 0; i < 11; i++) {
    const page = await newPage(browser);
    await page.goto(`${server.url}/`);
    await page.evaluate(
      async (name) => {
        const { Room } = await import(`${location.origin}/sdk/parley.js`);
        window.room = await Room.connect({ room: 'app-many', name, media: false });
      },
      `Guest ${i + 1}`,
    );
    others.push(page);
  }
  await until('twelve tiles', async () => (await id(ann, 'tile').count()) === 12);
  for (const [name, viewport] of [
    ['wide', { width: 1440, height: 900 }],
    ['tablet', { width: 820, height: 1180 }],
    ['phone', { width: 390, height: 844 }],
    ['flat', { width: 844, height: 390 }],
  ]) {
    await ann.setViewportSize(viewport);
    await until(`no tile outside the window (${name})`, () =>
      ann.evaluate(() =>
        [...document.querySelectorAll('[data-testid=tile]')].every((t) => {
          const r = t.getBoundingClientRect();
          return r.width > 0 && r.left >= -1 && r.top >= -1 && r.right <= innerWidth + 1 && r.bottom <= innerHeight + 1;
        }),
      ),
    );
    assert.ok(
      await ann.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
      `nothing scrolls sideways (${name})`,
    );
    await shot(ann, `twelve-${name}`);
  }
  await close(ann, ...others);
});

test('without camera and microphone one joins all the same', async () => {
  for (const [name, args, words] of [
    // no device at all, and devices that the person does not allow: one note for both kinds says which it is
    ['none', [], /No camera or microphone found.*without it/],
    ['denied', ['--use-fake-device-for-media-stream'], /may not use your camera or microphone.*without it/],
  ]) {
    const bare = await startChromium({ fake: false, args: ['--deny-permission-prompts', ...args] });
    try {
      const page = await newPage(bare, phone);
      await page.goto(`${server.url}/r/${name}`);
      await id(page, 'name').fill('Shy');
      const note = id(page, 'problem-microphone');
      await until(`the note (${name})`, async () => words.test(await note.textContent({ timeout: 500 })));
      const box = await note.boundingBox();
      assert.ok(box.y + box.height <= phone.viewport.height, 'the note fits the screen');
      await shot(page, `phone-${name}`);
      await id(page, 'join').click();
      await until('in', async () => (await id(page, 'call').getAttribute('data-state')) === 'connected');
      assert.deepEqual(page.problems, []);
    } finally {
      await bare.close();
    }
  }
});

// What getUserMedia gave the page, to see what is still running.
function keepTracks() {
  window.__tracks = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.__tracks.push(...stream.getTracks());
    return stream;
  };
}
const running = (page) =>
  page.evaluate(() => window.__tracks.filter((t) => t.readyState === 'live').map((t) => t.kind));
const present = async (room) =>
  (await (await fetch(`${server.url}/v1/rooms/${room}`)).json()).participants.map((p) => p.name);

test('the back button leaves the call, and gives up joining one', { timeout: 60_000 }, async () => {
  const [ann] = await pages({});
  await ann.addInitScript(keepTracks);
  await enter(ann, { room: 'app-back', name: 'Ann' });
  await ann.goBack();
  await id(ann, 'first').waitFor();
  await until('Ann to have left', async () => (await present('app-back')).length === 0);
  assert.deepEqual(await running(ann), [], 'camera and microphone are closed');
  // another room is another call
  await id(ann, 'room').fill('app-back-2');
  await id(ann, 'continue').click();
  await id(ann, 'check').waitFor();
  // back while the join is on its way
  await ann.routeWebSocket(/\/ws$/, (ws) => {
    const up = ws.connectToServer();
    let open = true;
    ws.onClose((code, reason) => {
      open = false;
      up.close({ code, reason });
    });
    ws.onMessage((m) => setTimeout(() => open && up.send(m), 1000));
  });
  await id(ann, 'join').click();
  await ann.goBack();
  await id(ann, 'first').waitFor();
  await until('nothing to run', async () => (await running(ann)).length === 0);
  await new Promise((r) => setTimeout(r, 2000)); // longer than the join would have taken
  assert.deepEqual(await present('app-back-2'), []);
  assert.ok(await id(ann, 'first').isVisible());
  assert.deepEqual(ann.problems, []);
  await close(ann);
});

test('a long name leaves the chat its send button', { timeout: 60_000 }, async () => {
  const long = 'Maximiliana-Alexandrina Wolfeschlegelsteinhausenbergerdorff the3';
  const [ann, bob] = await pages(phone, { viewport: { width: 1440, height: 900 } });
  await enter(ann, { room: 'app-long', name: long, camera: false });
  await enter(bob, { room: 'app-long', name: 'Bob', camera: false });
  await until('Bob at Ann', async () => (await id(ann, 'tile').count()) === 2);
  await id(ann, 'chat').click();
  await id(ann, 'chat-to').selectOption({ index: 1 });
  await id(ann, 'chat-text').fill('for you alone');
  await id(ann, 'chat-send').click();
  await id(bob, 'chat').click();
  await until('the message', async () => /for you alone/.test(await id(bob, 'message').first().textContent()));
  for (const p of [ann, bob]) {
    const spill = await id(p, 'chat-panel').evaluate((panel) =>
      [...panel.querySelectorAll('*')]
        .filter((el) => el.getBoundingClientRect().right > panel.getBoundingClientRect().right + 1)
        .map((el) => el.className || el.tagName),
    );
    assert.deepEqual(spill, [], 'nothing is wider than the panel');
  }
  await close(ann, bob);
});

test('errors say what to do: no token, room full, removed, server gone', { timeout: 120_000 }, async () => {
  const secret = 'an app test secret of 32 bytes or more';
  let guarded = await startServer({
    name: 'app-guarded',
    args: ['--limits-participants', '1'],
    env: { PARLEY_SECRET: secret },
  });
  try {
    const [none, host, late] = await pages({}, {}, phone);
    await none.goto(`${guarded.url}/r/club`);
    await until('the way on', async () => (await id(none, 'entry').getAttribute('data-entry')) === 'knock');
    assert.equal(await id(none, 'join').textContent(), 'Ask to join');
    await shot(none, 'desktop-no-token');
    const link = (who) =>
      `${guarded.url}/r/club#token=${token(['--room', 'club', '--identity', who, '--can', 'publish,subscribe,message,watch'], secret)}`;
    await host.goto(link('host'));
    await id(host, 'name').fill('Host');
    await id(host, 'join').click();
    await until('in', async () => (await id(host, 'call').getAttribute('data-state')) === 'connected');
    assert.ok(!host.url().includes('token'), 'the token leaves the address bar');
    await late.goto(link('late'));
    await id(late, 'name').fill('Late');
    await id(late, 'join').click();
    await until('room_full', async () => (await id(late, 'over').getAttribute('data-code')) === 'room_full');
    await shot(late, 'phone-full');
    const port = guarded.port;
    guarded.child.kill('SIGKILL');
    await until('the banner', () => id(host, 'reconnecting').isVisible(), 20_000);
    await shot(host, 'desktop-reconnecting');
    await guarded.stop();
    guarded = await startServer({ name: 'app-guarded', port, env: { PARLEY_SECRET: secret } });
    await until('back', async () => (await id(host, 'call').getAttribute('data-state')) === 'connected', 30_000);
    await close(none, host, late);
  } finally {
    await guarded.stop();
  }
});

test('a moderator mutes, removes and ends', { timeout: 60_000 }, async () => {
  const [ann, bob, eve] = await pages({}, phone, {});
  await bob.addInitScript(keepTracks);
  for (const [p, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
    [eve, 'Eve'],
  ])
    await enter(p, { room: 'app-mod', name, camera: p === bob });
  const act = async (name, action) => {
    const row = id(ann, 'person').filter({ hasText: name });
    await row.getByTestId('person-menu').click();
    await row.getByTestId(action).click();
  };
  await id(ann, 'people').click();
  await until('three', async () => (await id(ann, 'person').count()) === 3);
  await until('a camera', async () => (await running(bob)).includes('video'));
  await act('Bob', 'mute-camera');
  await until('its light out', async () => !(await running(bob)).includes('video'));
  await act('Bob', 'mute');
  await until('Bob muted', async () => (await id(bob, 'microphone').getAttribute('aria-pressed')) === 'false');
  await act('Bob', 'remove');
  await until('Bob removed', async () => (await id(bob, 'over').getAttribute('data-code')) === 'removed');
  await shot(bob, 'phone-removed');
  await until('two', async () => (await id(ann, 'person').count()) === 2);
  await id(ann, 'end').click();
  await id(ann, 'end-confirm').click();
  await until('the room ended', async () => (await id(eve, 'over').getAttribute('data-code')) === 'room_ended');
  await close(ann, bob, eve);
});
