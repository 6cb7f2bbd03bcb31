// Firefox ESR by puppeteer-core over WebDriver BiDi, a WebSocket on 127.0.0.1. In a network namespace of its own it is reached
// through a Unix socket, which network namespaces do not divide: a port here, the socket, and a port there.
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { keepPeerConnections } from './browsers.mjs';
import { findProgram, startProgram } from './programs.mjs';
import { freePort, until } from './server.mjs';

const binary = process.env.FIREFOX ?? findProgram('firefox-esr');

/** Runs in the namespace: hands connections to the socket over to the port. */
const inner = (socket, port) =>
  `const n=require('node:net');n.createServer(c=>{const d=n.connect(${port},'127.0.0.1');
  for(const [a,b] of [[c,d],[d,c]]){a.on('error',()=>b.destroy());a.pipe(b)}}).listen(${JSON.stringify(socket)})`;

async function tunnel(netns, folder, port) {
  const socket = join(folder, 'bidi');
  const far = startProgram('ip', ['netns', 'exec', netns, process.execPath, '-e', inner(socket, port)], {
    stdio: 'inherit',
  });
  const near = createServer((down) => {
    const up = connect(socket);
    for (const [a, b] of [
      [down, up],
      [up, down],
    ]) {
      a.on('error', () => b.destroy());
      a.pipe(b);
    }
  });
  await new Promise((done, failed) => near.once('error', failed).listen(port, '127.0.0.1', done));
  await until('the tunnel to Firefox', () => existsSync(socket));
  return () => {
    far.kill();
    near.close();
  };
}

/** Starts Firefox; `netns` puts its whole process tree into a network namespace. */
export async function startFirefox({ headless = true, netns } = {}) {
  if (!netns) return launch({ headless, executablePath: binary });
  const folder = mkdtempSync(join(tmpdir(), 'parley-e2e-'));
  const wrapper = join(folder, 'firefox.sh');
  writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${netns} ${binary} "$@"\n`);
  chmodSync(wrapper, 0o755);
  const debuggingPort = await freePort();
  const close = await tunnel(netns, folder, debuggingPort);
  const firefox = await launch({ headless, executablePath: wrapper, debuggingPort }).catch((error) => {
    close();
    throw error;
  });
  firefox.on('disconnected', close);
  return firefox;
}

function launch(options) {
  return puppeteer.launch({
    browser: 'firefox',
    ...options,
    acceptInsecureCerts: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'app.update.disabledForTesting': true,
      'datareporting.policy.dataSubmissionEnabled': false,
      'browser.safebrowsing.malware.enabled': false,
      'media.gmp-manager.updateEnabled': false,
    },
  });
}

/** A page whose peer connections are kept, as newPage in browsers.mjs. */
export async function newFirefoxPage(firefox) {
  const context = await firefox.createBrowserContext();
  const page = await context.newPage();
  await page.evaluateOnNewDocument(keepPeerConnections);
  page.problems = [];
  page.on('pageerror', (e) => page.problems.push(String(e)));
  return page;
}
