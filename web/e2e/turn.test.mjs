// coturn's own client against the embedded relay: allocations over UDP and TCP with time-limited credentials, and what must be
// refused and counted: a wrong password, an expired name, a peer on the deny list.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Lab } from './support/lab.mjs';
import { findProgram, startProgram } from './support/programs.mjs';
import { root_user, startServer } from './support/server.mjs';

const skip =
  (!root_user || !findProgram('turnutils_uclient')) &&
  !process.env.PARLEY_REQUIRE_LAB &&
  "needs root, nftables and coturn's clients";
const secret = 'a secret for the relay test: 32 bytes';
const echo = '203.0.113.20';
let lab;
let server;
let inner; // behind a 1:1 NAT whose outer address leads nowhere
let peer;
before(async () => {
  if (skip) return;
  lab = new Lab('pt_');
  server = await startServer({
    name: 'turn',
    netns: lab.ns('sfu'),
    http: '203.0.113.10',
    media: '203.0.113.10',
    args: ['--public-ip', '203.0.113.10', '--turn-allow', `${echo}/32`],
    env: { PARLEY_SECRET: 'a secret that signs tokens alone', PARLEY_TURN_SECRET: secret },
  });
  inner = await startServer({
    name: 'turn-inner',
    netns: lab.ns('sfu'),
    http: '203.0.113.10',
    media: '203.0.113.10',
    args: ['--public-ip', '198.51.100.9'],
    env: { PARLEY_SECRET: 'a secret that signs tokens alone', PARLEY_TURN_SECRET: secret },
  });
  peer = startProgram('ip', ['netns', 'exec', lab.ns('turn'), 'turnutils_peer', '-p', '3480', '-L', echo], {
    stdio: 'ignore',
  });
});
after(async () => {
  peer?.kill();
  await server?.stop();
  await inner?.stop();
  lab?.down();
});

/** Runs coturn's client behind NAT A; resolves with its exit code and what it said. */
function client(args, target = echo, of = server) {
  const all = ['netns', 'exec', lab.ns('cliA'), 'turnutils_uclient', ...args];
  const run = startProgram('ip', [
    ...all,
    '-e',
    target,
    '-r',
    '3480',
    '-n',
    '20',
    '-z',
    '5',
    '-c',
    '-p',
    String(of.udp),
    '203.0.113.10',
  ]);
  let said = '';
  run.stdout.on('data', (b) => (said += b));
  run.stderr.on('data', (b) => (said += b));
  const timer = setTimeout(() => run.kill('SIGKILL'), 40_000);
  return new Promise((r) =>
    run.once('exit', (code) => {
      clearTimeout(timer);
      r({ code, said });
    }),
  );
}
const named = (expiry, name) => `${Math.floor(Date.now() / 1000) + expiry}:${name}`;
const password = (user) => createHmac('sha1', secret).update(user).digest('base64');
const refused = (reason) => server.metric('parley_turn_refused_total', `reason="${reason}"`);

for (const [how, flags] of [
  ['UDP', []],
  ['UDP, Send indications', ['-s']],
  ['TCP', ['-t']],
])
  test(`coturn's client relays by ${how}`, { skip, timeout: 60_000 }, async () => {
    const { code, said } = await client([...flags, '-u', 'alice', '-W', secret]);
    assert.equal(code, 0, said);
    assert.match(said, /Total lost packets 0 /, said);
  });

for (const [how, flags] of [
  ['by channels', []],
  ['by Send indications', ['-s']],
])
  test(`two relays behind a 1:1 NAT reach each other ${how}`, { skip, timeout: 60_000 }, async () => {
    const { code, said } = await client([...flags, '-y', '-u', 'alice', '-W', secret], echo, inner);
    assert.equal(code, 0, said);
    assert.match(said, /Total lost packets 0 /, said);
    assert.ok((await inner.metric('parley_turn_relayed_packets_total', 'direction="down"')) >= 20);
  });

test('a wrong password is refused and counted', { skip, timeout: 60_000 }, async () => {
  const before = await refused('bad_password');
  const { code } = await client(['-u', named(600, 'bob'), '-w', 'wrong']);
  assert.equal(code, 255);
  assert.ok((await refused('bad_password')) > before);
});

test('an expired name is refused and counted', { skip, timeout: 60_000 }, async () => {
  const user = named(-60, 'bob');
  const before = await refused('expired');
  const { code } = await client(['-u', user, '-w', password(user)]);
  assert.equal(code, 255);
  assert.ok((await refused('expired')) > before);
});

test('a peer on the deny list is refused and counted', { skip, timeout: 60_000 }, async () => {
  const before = await refused('denied_peer');
  const { code } = await client(['-u', 'alice', '-W', secret], '203.0.113.102');
  assert.notEqual(code, 0);
  assert.ok((await refused('denied_peer')) > before);
});
