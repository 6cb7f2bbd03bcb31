// Browsers behind real NATs: media by UDP through each kind, by ICE-TCP where UDP is blocked; files from browser to browser,
// through the relay where hole punching cannot work.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium, stats } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { Lab, labSecret, startLabServer } from './support/lab.mjs';
import { root_user, token, until } from './support/server.mjs';

const skip = !root_user && !process.env.PARLEY_REQUIRE_LAB && 'needs root and nftables for the network lab';
let lab;
let server;
let a;
let b;
before(async () => {
  if (skip) return;
  lab = new Lab('pe_');
  server = await startLabServer(lab, { name: 'nat' });
  [a, b] = await Promise.all(
    ['cliA', 'cliB'].map((node) => startChromium({ netns: lab.ns(node), args: ['--ignore-certificate-errors'] })),
  );
});
after(async () => {
  await a?.close();
  await b?.close();
  await server?.stop();
  lab?.down();
});

const join2 = async (room, media) => {
  const one = (browser, identity) =>
    joinGuest(browser, server.url, {
      room,
      name: identity,
      camera: media,
      microphone: media,
      token: token(['--room', room, '--identity', identity], labSecret),
    });
  return [await one(a, 'Ann'), await one(b, 'Bob')];
};
/** What the nominated pair of the page's connection number pc looks like. */
const route = async (guest, pc) => {
  const all = (await stats(guest.page)).filter((s) => s.pc === pc);
  const transport = all.find((s) => s.type === 'transport');
  const pair = all.find((s) => s.id === transport?.selectedCandidatePairId);
  const [local, remote] = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => all.find((s) => s.id === id));
  return `${local?.candidateType}/${local?.protocol}-${remote?.candidateType}`;
};

for (const [kind, protocol] of [
  ['full', 'udp'],
  ['restricted', 'udp'],
  ['symmetric', 'udp'],
  ['udpblock', 'tcp'],
])
  test(`a call behind a NAT: ${kind}, by ${protocol}`, { skip, timeout: 60_000 }, async () => {
    lab.nat('A', kind);
    lab.nat('B', kind);
    const guests = await join2(`nat-${kind}`, true);
    for (const g of guests) {
      await g.frames(30, 25_000);
      assert.match(await route(g, 0), new RegExp(`/${protocol}-`));
    }
    for (const g of guests) await g.leave();
  });

for (const [left, right, relayed] of [
  ['restricted', 'restricted', false],
  ['symmetric', 'symmetric', true],
  ['udpblock', 'restricted', true],
  ['udpblock', 'udpblock', true],
])
  test(`a file between two NATs: ${left} to ${right}${relayed ? ', relayed' : ''}`, {
    skip,
    timeout: 90_000,
  }, async () => {
    lab.nat('A', left);
    lab.nat('B', right);
    const [ann, bob] = await join2(`file-${left}-${right}`, false);
    await bob.page.evaluate(() => {
      delete window.showSaveFilePicker;
      window.room.on('file', (t) => {
        window.incoming = t;
        void t.accept();
      });
    });
    await ann.run((r, to) => {
      window.transfer = r.files.send(new File([new Uint8Array(2 << 20).fill(7)], 'two.bin'), to);
    }, bob.id);
    await until('the file', () => bob.page.evaluate(() => window.incoming?.state === 'done'), 45_000);
    assert.equal(
      await ann.page.evaluate(() => window.transfer.sha256),
      await bob.page.evaluate(() => window.incoming.sha256),
    );
    for (const g of [ann, bob]) await g.leave();
    if (relayed) assert.ok((await server.metric('parley_turn_relayed_bytes_total')) > 2 << 20, 'the relay carried it');
  });
