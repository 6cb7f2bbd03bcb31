// People come back into their room by themselves, with the SDK alone: after a long silence of the network, a restart of the server, and
// the end of their token. Who was removed does not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium } from './support/browsers.mjs';
import { joinGuest } from './support/guest.mjs';
import { startProxy } from './support/proxy.mjs';
import { startServer, token, until } from './support/server.mjs';

const secret = 'a secret for those who stay in: 32 bytes';
const OUTAGE = 60_000; // ms, twice what a session outlives its connection

let browser;
const ended = []; // what each test started
before(async () => {
  browser = await startChromium();
});
after(() => browser?.close());

async function start(options) {
  const server = await startServer({ name: 'stayingin', env: { PARLEY_SECRET: secret }, ...options });
  const proxy = await startProxy(server.port);
  ended.push(server, proxy);
  return { server, proxy };
}
const stopAll = async () => {
  for (const it of ended.splice(0)) await (it.stop ?? it.close).call(it);
};

const ticket = (room, identity, ...more) =>
  token(['--room', room, '--identity', identity, '--can', 'publish,subscribe,message,join,moderate', ...more], secret);

/** Joins, and keeps what the room says of itself. */
async function join(url, room, name, options = {}) {
  const guest = await joinGuest(browser, url, { room, name, token: options.token ?? ticket(room, name), ...options });
  await guest.run((r) => {
    window.said = [];
    r.on('rejoined', ({ restarted }) => window.said.push(restarted ? 'restarted' : 'rejoined'));
    r.on('closed', (error) => window.said.push(`closed ${error?.code}`));
  });
  const said = () => guest.page.evaluate(() => window.said);
  const state = () => guest.run((r) => r.state);
  const texts = () => guest.run((r) => r.messages.map((m) => m.text));
  return { ...guest, said, state, texts };
}

test('a minute without the network: back with picture, chat and the others', { timeout: 150_000 }, async () => {
  const { server, proxy } = await start();
  const ann = await join(server.url, 'minute', 'ann', { camera: false, microphone: false });
  const bob = await join(proxy.url, 'minute', 'bob');
  await ann.frames(10);
  await bob.run((r) => r.chat('before'));
  await until('Ann to read it', async () => (await ann.texts()).length === 1);

  proxy.swallow();
  const gone = Date.now();
  await until('Bob to be gone for Ann', async () => (await ann.people()).length === 1, OUTAGE);
  await ann.run((r) => r.chat('meanwhile'));
  await until('the outage to be over', () => Date.now() - gone >= OUTAGE, OUTAGE + 1000, 500);
  assert.equal(await bob.state(), 'reconnecting');
  proxy.restore();

  await until('Bob to be back', async () => (await bob.said()).includes('rejoined'), 25_000);
  await until('both', async () => (await ann.people()).length === 2);
  await ann.frames(10);
  assert.deepEqual(await bob.texts(), ['before', 'meanwhile']);
  assert.deepEqual(await bob.said(), ['rejoined']);
  for (const g of [ann, bob]) await g.leave();
  await stopAll();
});

test('the server is killed and started again: everybody is back, and the chat as well', async () => {
  const { server, proxy } = await start();
  const ann = await join(proxy.url, 'restart', 'ann');
  const bob = await join(proxy.url, 'restart', 'bob');
  await Promise.all([ann.frames(10), bob.frames(10)]);
  await ann.run((r) => r.chat('before'));
  await until('Bob to read it', async () => (await bob.texts()).length === 1);

  server.child.kill('SIGKILL');
  await server.stop();
  await until('both to notice', async () => (await bob.state()) === 'reconnecting', 15_000);
  ended.push(
    await startServer({
      name: 'stayingin',
      port: server.port,
      args: ['--udp', `:${server.udp}`, '--tcp', `:${server.udp}`],
      env: { PARLEY_SECRET: secret },
    }),
  );
  for (const g of [ann, bob]) {
    await until('one to be back', async () => (await g.said()).includes('restarted'), 25_000);
    assert.deepEqual(await g.texts(), ['before']);
  }
  await until('both', async () => (await ann.people()).length === 2);
  await Promise.all([ann.frames(10), bob.frames(10)]);
  await bob.run((r) => r.chat('after'));
  await until('Ann to read on', async () => (await ann.texts()).join() === 'before,after');
  for (const g of [ann, bob]) await g.leave();
  await stopAll();
});

test('a token that ends while we are in: renew() makes another, and only without it that is the end', async () => {
  const { server } = await start({
    env: { PARLEY_SECRET: secret, PARLEY_TOKEN_ENFORCE_EXPIRY: 'true', PARLEY_TOKEN_GRACE: '1s' },
  });
  const short = (who) => ticket('expiry', who, '--ttl', '8s');
  const bob = await join(server.url, 'expiry', 'bob', { token: short('bob'), camera: false, microphone: false });
  const next = ticket('expiry', 'ann');
  const page = await browser.newPage();
  await page.goto(`${server.url}/`);
  await page.evaluate(
    async ([token, next]) => {
      const { Room } = await import('/sdk/parley.js');
      window.asked = 0;
      window.said = [];
      const renew = async () => {
        if (++window.asked < 3) throw new TypeError('Failed to fetch');
        return next;
      };
      const room = await Room.connect({ room: 'expiry', token, media: false, renew });
      room.on('rejoined', () => window.said.push('rejoined'));
      room.on('closed', (error) => window.said.push(`closed ${error?.code}`));
    },
    [short('ann'), next],
  );
  await until('Ann to be in by another', async () => (await page.evaluate(() => window.said.length)) > 0, 30_000);
  assert.deepEqual(await page.evaluate(() => [window.asked, window.said]), [3, ['rejoined']]);
  await until('Bob to be out', async () => (await bob.state()) === 'closed', 30_000);
  assert.deepEqual(await bob.said(), ['closed token_expired']);
  await page.close();
  await bob.page.context().close();
  await stopAll();
});

test('who was removed stays out', async () => {
  const { server } = await start();
  const ann = await join(server.url, 'removed', 'ann', { camera: false, microphone: false });
  const bob = await join(server.url, 'removed', 'bob', { camera: false, microphone: false });
  await ann.run((r, id) => r.moderate('remove', id), bob.id);
  await until('Bob to be out', async () => (await bob.state()) === 'closed');
  assert.deepEqual(await bob.said(), ['closed removed']);
  await bob.run(async (r) => r.retry());
  assert.equal(await bob.state(), 'closed');
  assert.equal((await ann.people()).length, 1);
  await ann.leave();
  await bob.page.context().close();
  await stopAll();
});
