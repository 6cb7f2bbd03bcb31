// What a bad or changing network does to the picture. Bounds are wide: this runs on busy machines. `make lab` measures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeAudio, makeVideo } from './measure/content.mjs';
import { installProbe, judge, takeProbe } from './measure/probe.mjs';
import { newPage, startChromium, stats } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { Lab, labSecret, startLabServer } from './support/lab.mjs';
import { artifacts, root_user, token, until } from './support/server.mjs';

const skip = !root_user && !process.env.PARLEY_REQUIRE_LAB && 'needs root and nftables for the network lab';
const lines = 540; // of the camera: just enough for three layers
let lab;
let server;
let wire;
let ann; // publishes
let bad; // watches through the wire
let clean;
const browsers = [];

before(async () => {
  if (skip) return;
  lab = new Lab('pn_');
  server = await startLabServer(lab, { name: 'network' });
  wire = await lab.wire('A');
  const size = { width: 960, height: lines, seconds: 2 };
  const devices = [
    `--use-file-for-fake-video-capture=${makeVideo(artifacts, { ...size })}`,
    `--use-file-for-fake-audio-capture=${makeAudio(artifacts)}`,
  ];
  const enter = async (node, name, options = {}, flags = []) => {
    const browser = await startChromium({ netns: lab.ns(node), args: ['--ignore-certificate-errors', ...flags] });
    browsers.push(browser);
    const page = await newPage(browser);
    await page.context().addInitScript(installProbe);
    return joinGuest(null, server.url, {
      ...{ room: 'network', name, page, camera: false, microphone: false, tile: [960, lines] },
      ...options,
      token: token(['--room', 'network', '--identity', name], labSecret),
    });
  };
  ann = await enter('cliC', 'Ann', { camera: true, microphone: true }, devices);
  bad = await enter('cliA', 'Bad');
  clean = await enter('cliB', 'Clean');
  await full();
});
after(async () => {
  for (const b of browsers) await b.close();
  await wire?.close();
  await server?.stop();
  lab?.down();
});

/** Waits until both viewers have the whole picture. */
const full = async () => {
  for (const g of [bad, clean]) {
    await g.page.evaluate(takeProbe);
    const has = () => g.page.evaluate((n) => window.probe.frames.slice(-15).filter(([, h]) => h === n).length, lines);
    await until(
      `${lines} lines at ${g === bad ? 'the bad link' : 'the clean link'}`,
      async () => (await has()) === 15,
      40_000,
    );
  }
};
/** What both viewers see while `act` happens and for some seconds more. */
async function watch(seconds, act) {
  const guests = [bad, clean];
  const take = () => Promise.all(guests.map((g) => g.page.evaluate(takeProbe)));
  const first = await take();
  await act?.();
  await new Promise((r) => setTimeout(r, seconds * 1000));
  const last = await take();
  return guests.map((_, i) => judge(first[i], last[i], last[i].frames));
}
const told = (v) => JSON.stringify({ ...v, counted: undefined });

test('3 % of a viewer’s packets are lost: nothing halts, and the other viewer sees no change', { skip }, async () => {
  await wire.set('down loss=3');
  const [lossy, other] = await watch(8);
  await wire.set('both clean');
  assert.ok(lossy.nacks > 5, `the wire lost something: ${told(lossy)}`);
  assert.ok(lossy.fps > 0.8 * other.fps, `${told(lossy)} beside ${told(other)}`);
  assert.ok(lossy.frozen < 1 && lossy.gap < 900, told(lossy));
  assert.ok(other.nacks === 0 && other.share[lines] > 95, told(other));
});

test('10 % of a viewer’s packets are lost by chance: that is no congestion, and nothing is taken away', {
  skip,
}, async () => {
  await wire.set('down loss=10 delay=30ms');
  await new Promise((r) => setTimeout(r, 2000)); // the viewer's buffer learns of it
  const [lossy, other] = await watch(8);
  await wire.set('both clean');
  assert.ok(lossy.nacks > 20, `the wire lost something: ${told(lossy)}`);
  assert.ok(lossy.share[lines] > 90, told(lossy));
  assert.ok(lossy.fps > 0.7 * other.fps && lossy.frozen < 1.5 && lossy.concealed < 4, told(lossy));
  assert.ok(other.nacks === 0 && other.share[lines] > 95, told(other));
});

test('a viewer’s link takes 500 kb/s: a smaller picture that moves, and all of it again when it can', {
  skip,
}, async () => {
  await full();
  const [thin, other] = await watch(12, () => wire.set('down rate=5e5 queue=300ms'));
  await wire.set('both clean');
  assert.ok(!(thin.share[lines] > 20), `what does not fit is not sent: ${told(thin)}`);
  assert.ok(thin.fps > 0.6 * other.fps && thin.frozen < 3 && thin.gap < 2500, told(thin));
  assert.ok(thin.concealed < 8 && thin.kbps > 100, told(thin));
  assert.ok(other.nacks === 0 && other.share[lines] > 95 && other.frozen < 1, told(other));
  await full();
});

test('the server is not let run for 50 to 300 ms, again and again: it takes that for no bad network', {
  skip,
}, async () => {
  await full();
  const pauses = [50, 300, 120, 200, 80, 250, 150, 300, 60, 220, 100, 280];
  const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
  const seen = await watch(1, async () => {
    for (const ms of pauses) {
      server.child.kill('SIGSTOP');
      await sleep(ms);
      server.child.kill('SIGCONT');
      await sleep(450);
    }
  });
  for (const v of seen) assert.ok(v.share[lines] > 90, `no layer is taken away: ${told(v)}`);
  await full();
});

for (const [who, guest, side] of [
  ['the publisher', () => ann, 'C'],
  ['a viewer', () => bad, 'A'],
])
  test(`the NAT of ${who} forgets its mappings and chooses another port`, { skip }, async () => {
    lab.nat(side, 'symmetric'); // each mapping has a port by chance
    await full();
    const [seen] = await watch(6, () => lab.nat(side, 'symmetric'));
    // ICE alone takes up to 3.2 s; media is followed to the new port as soon as a packet comes from there.
    assert.ok(seen.gap < 1500, `the picture stood for ${seen.gap} ms: ${told(seen)}`);
    await full();
    const states = await guest().page.evaluate(() => window.__pcs.map((pc) => pc.connectionState));
    assert.deepEqual(states, ['connected'], 'it is the same connection');
  });

test('a viewer’s UDP is blocked in the midst of a call, and comes back', { skip, timeout: 120_000 }, async () => {
  const protocol = async () => {
    const all = await stats(bad.page);
    const pair = all.find((s) => s.id === all.find((t) => t.type === 'transport')?.selectedCandidatePairId);
    return all.find((s) => s.id === pair?.localCandidateId)?.protocol;
  };
  assert.equal(await protocol(), 'udp');
  lab.nat('A', 'udpblock');
  await until('TCP', async () => (await protocol()) === 'tcp', 40_000);
  await full();
  const [seen, other] = await watch(2);
  assert.ok(seen.frozen < 1, told(seen));
  assert.ok(other.nacks === 0, told(other));
  lab.nat('A', 'restricted');
  await full();
});
