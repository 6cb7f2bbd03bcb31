// What ships as containers, run: the image, docker-compose.yml as it is, a call into it between two networks, a file by its
// relay, the health check, and docker stop. Podman and podman-compose stand in for Docker.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { Podman } from './support/containers.mjs';
import { joinGuest } from './support/guest.mjs';
import { Lab, labSecret } from './support/lab.mjs';
import { root_user, token, until } from './support/server.mjs';

const skip = !root_user && !process.env.PARLEY_REQUIRE_LAB && 'needs root, podman and nftables for the network lab';
const url = 'http://203.0.113.10:8080';
const name = 'parley-e2e_parley_1';
let lab;
let podman;
let browsers = [];
/** The exit code of the image's own health check. Without systemd nobody runs it by the clock. */
function health() {
  try {
    podman.run(['healthcheck', 'run', name]);
    return 0;
  } catch (e) {
    return e.status;
  }
}
const healthy = () => until('the health check', () => health() === 0, 15_000);

before(async () => {
  if (skip) return;
  lab = new Lab('pk_');
  podman = new Podman(lab.ns('sfu'));
  console.log(`image: ${podman.build('localhost/parley')}`);
  podman.compose(['up', '-d', '--no-build'], { PARLEY_SECRET: labSecret, PARLEY_PUBLIC_IP: '203.0.113.10' });
  await healthy();
  const args = [`--unsafely-treat-insecure-origin-as-secure=${url}`]; // cameras need https, which a proxy would add
  browsers = await Promise.all(['cliA', 'cliB'].map((node) => startChromium({ netns: lab.ns(node), args })));
});
after(async () => {
  for (const b of browsers) await b.close();
  podman?.clean();
  lab?.down();
});

const inspect = (format) => podman.run(['inspect', '--format', format, name]);

const join2 = async (room, media) => {
  const guests = [];
  for (const [i, who] of ['Ann', 'Bob'].entries())
    guests.push(
      await joinGuest(browsers[i], url, {
        room,
        name: who,
        camera: media,
        microphone: media,
        token: token(['--room', room, '--identity', who], labSecret),
      }),
    );
  return guests;
};

test('the container is shut in: a root that is read-only, no capabilities, no root user', { skip }, () => {
  assert.equal(inspect('{{.HostConfig.ReadonlyRootfs}}'), 'true');
  assert.match(inspect('{{.EffectiveCaps}}'), /^(\[\]|<no value>)$/);
  assert.equal(inspect('{{.Config.User}}'), '65532:65532');
  assert.equal(inspect('{{.State.Health.Status}}'), 'healthy');
});

test('a call into the container, through published ports', { skip, timeout: 90_000 }, async () => {
  for (const side of ['A', 'B']) lab.nat(side, 'restricted');
  const guests = await join2('container', true);
  for (const g of guests) await g.frames(30, 25_000);
  for (const g of guests) await g.leave();
});

test('a file from relay to relay of the container', { skip, timeout: 90_000 }, async () => {
  for (const side of ['A', 'B']) lab.nat(side, 'udpblock'); // neither can reach the other but by its relay
  const [ann, bob] = await join2('files', false);
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
});

test('a restart: the health check turns, the end is an orderly one, and people are back', {
  skip,
  timeout: 90_000,
}, async () => {
  for (const side of ['A', 'B']) lab.nat(side, 'restricted');
  const guests = await join2('drain', true);
  for (const g of guests) await g.frames(5, 25_000);
  podman.run(['kill', '--signal', 'TERM', name]); // as docker stop does; podman runs no check in what it is stopping
  await until('the health check to turn', () => health() === 1, 10_000, 20);
  await until('the end', () =>
    /^exited 0 |[1-9]$/.test(inspect('{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}')),
  );
  podman.run(['start', name]); // nothing where the restart policy was quicker
  await healthy();
  for (const g of guests) await g.frames(5, 40_000);
  podman.run(['stop', '--time', '15', name]);
  assert.equal(inspect('{{.State.Status}} {{.State.ExitCode}}'), 'exited 0');
  for (const g of guests) await g.page.context().close();
});
