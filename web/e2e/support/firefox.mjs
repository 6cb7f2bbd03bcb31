// Firefox ESR by puppeteer-core over WebDriver BiDi. It must run in the same network namespace as this process.
import puppeteer from 'puppeteer-core';
import { keepPeerConnections } from './browsers.mjs';

export function startFirefox({ headless = true } = {}) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless,
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
