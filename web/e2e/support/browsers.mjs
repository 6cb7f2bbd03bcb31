// Real browsers: Debian's Chromium by playwright-core, Firefox ESR by puppeteer-core.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findProgram } from './programs.mjs';
import { artifacts } from './server.mjs';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];
const fakeMedia = ['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream'];

/** Starts Chromium; `netns` puts its whole process tree into a network namespace, `fake: false` leaves the real permission prompts. */
export function startChromium({ args = [], netns, fake = true } = {}) {
  let executablePath = process.env.CHROMIUM ?? findProgram('chromium');
  if (netns) {
    const wrapper = join(mkdtempSync(join(tmpdir(), 'parley-e2e-')), 'chromium.sh');
    writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${netns} ${executablePath} "$@"\n`);
    chmodSync(wrapper, 0o755);
    executablePath = wrapper;
  }
  return chromium.launch({
    executablePath,
    headless: true,
    args: ['--headless=new', ...flags, ...(fake ? fakeMedia : []), ...args],
  });
}

/** Keeps every RTCPeerConnection a page makes, so that a test can read its statistics. Runs in the page. */
export function keepPeerConnections() {
  const Native = window.RTCPeerConnection;
  window.__pcs = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      window.__pcs.push(this);
    }
  };
}

/** A fresh context with one page; errors of the page are collected in page.problems. */
export async function newPage(
  browser,
  { viewport = { width: 1280, height: 800 }, colorScheme = 'light', ...rest } = {},
) {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    ignoreHTTPSErrors: true,
    acceptDownloads: true,
    ...rest,
  });
  await context.addInitScript(keepPeerConnections);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (e) => page.problems.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && page.problems.push(m.text()));
  return page;
}

/** Everything getStats() says in all of the page's open connections, flat, with the connection's index as `pc`. */
export function stats(page) {
  return page.evaluate(async () => {
    const all = [];
    for (const [pc, c] of window.__pcs.entries()) {
      if (c.connectionState === 'closed') continue;
      for (const s of (await c.getStats()).values()) all.push({ ...s, pc });
    }
    return all;
  });
}

/** What the page receives: frames decoded and audio energy in all, and the same per video. */
export async function received(page) {
  const all = await stats(page);
  const video = all.filter((s) => s.type === 'inbound-rtp' && s.kind === 'video' && s.framesDecoded > 0);
  const audio = all.filter((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
  return {
    frames: video.reduce((n, s) => n + s.framesDecoded, 0),
    energy: audio.reduce((n, s) => n + (s.totalAudioEnergy ?? 0), 0),
    videos: video.map((s) => ({
      id: s.id,
      frames: s.framesDecoded,
      width: s.frameWidth,
      height: s.frameHeight,
      fps: s.framesPerSecond,
      freezes: s.freezeCount,
      lost: s.packetsLost,
      nack: s.nackCount,
      pli: s.pliCount,
    })),
    audios: audio.filter((s) => s.packetsReceived > 0).length,
  };
}

/** Simulcast layers that the page sends: {rid, width, frames}. */
export async function sent(page) {
  return (await stats(page))
    .filter((s) => s.type === 'outbound-rtp' && s.kind === 'video' && s.framesEncoded > 0)
    .map((s) => ({
      rid: s.rid,
      width: s.frameWidth,
      frames: s.framesEncoded,
      packets: s.packetsSent,
      codec: s.codecId,
    }));
}

/** Keeps what all pages show when a test has failed, for afterEach. */
export async function photographFailure(browser, t) {
  if (t.passed !== false && !t.error) return;
  const pages = browser.contexts().flatMap((c) => c.pages());
  const name = t.name.replaceAll(/\W+/g, '-').slice(0, 60);
  for (const [i, page] of pages.entries()) await page.screenshot({ path: join(artifacts, `failed-${name}-${i}.png`) });
}
