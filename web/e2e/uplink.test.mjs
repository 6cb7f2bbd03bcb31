// What viewers see when a publisher's network becomes thin, and good again. Bounds are wide: this runs on busy machines. `make lab` measures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeAudio, makeVideo } from './measure/content.mjs';
import { installProbe, judge, takeProbe } from './measure/probe.mjs';
import { newPage, startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { Lab, labSecret, startLabServer } from './support/lab.mjs';
import { artifacts, root_user, token, until } from './support/server.mjs';

const skip = !root_user && !process.env.PARLEY_REQUIRE_LAB && 'needs root and nftables for the network lab';
let lab;
let server;
let wire;
let viewer;
const browsers = [];

before(async () => {
  if (skip) return;
  lab = new Lab('pk_');
  server = await startLabServer(lab, { name: 'uplink' });
  wire = await lab.wire('A');
  const devices = [
    `--use-file-for-fake-video-capture=${makeVideo(artifacts, { seconds: 4 })}`,
    `--use-file-for-fake-audio-capture=${makeAudio(artifacts)}`,
  ];
  const enter = async (node, name, options = {}, flags = []) => {
    const browser = await startChromium({ netns: lab.ns(node), args: ['--ignore-certificate-errors', ...flags] });
    browsers.push(browser);
    const page = await newPage(browser);
    await page.context().addInitScript(installProbe);
    return joinGuest(null, server.url, {
      ...{ room: 'uplink', name, page, camera: false, microphone: false, tile: [1280, 720] },
      ...options,
      token: token(['--room', 'uplink', '--identity', name], labSecret),
    });
  };
  await enter('cliA', 'Ann', { camera: true, microphone: true }, devices);
  viewer = await enter('cliB', 'Bob');
  await full(40_000);
});
after(async () => {
  for (const b of browsers) await b.close();
  await wire?.close();
  await server?.stop();
  lab?.down();
});

/** Waits until the last half second shows the whole picture. */
async function full(ms) {
  const has = () => viewer.page.evaluate(() => window.probe.frames.slice(-15).filter(([, h]) => h === 720).length);
  await viewer.page.evaluate(takeProbe);
  await until('720 lines', async () => (await has()) === 15, ms);
}

test('500 kb/s on the uplink: a small picture soon, and the large one soon after', {
  skip,
  timeout: 120_000,
}, async () => {
  await new Promise((r) => setTimeout(r, 3000)); // the encoders' rates settle
  const first = await viewer.page.evaluate(takeProbe);
  await wire.set('up rate=5e5 queue=300ms');
  await new Promise((r) => setTimeout(r, 10_000));
  const last = await viewer.page.evaluate(takeProbe);
  await wire.set('both clean');
  const seen = judge(first, last, last.frames, first.frames.at(-1)?.[0]);
  const told = JSON.stringify({ ...seen, counted: undefined });
  // Before the server told publishers what comes through, it stood for 1.4 to 2.2 s, and requests for what was lost filled the link.
  assert.ok(seen.gap < 1350 && seen.frozen < 2.5, told);
  assert.ok(seen.fps > 18, told);
  assert.ok((await server.metric('parley_media_uplink_collapses_total')) >= 1, 'the server saw it');
  // By itself Chromium's estimate takes 20 s to come back.
  await full(10_000);
});
