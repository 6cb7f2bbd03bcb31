// The other ways in: a passphrase, an account elsewhere, whoever has the address, an application's links; and a server without a secret.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { accessible, door, id, isIn, open, over, pass, phone, refused, secret } from './support/access.mjs';
import { newPage, photographFailure, startChromium } from './support/browsers.mjs';
import { runProgram, startProgram } from './support/programs.mjs';
import { artifacts, binary, freePort, root, startServer, token, until } from './support/server.mjs';

// the provider's, of internal/oidcprovider
const account = { client: 'parley', secret: 'provider-secret', password: 'verysecure', allow: 'ann@example.org' };
const passphrase = 'correct horse battery staple';
const servers = {};
let browser;
let provider;
before(async () => {
  const hash = runProgram(binary, ['passphrase'], { input: `${passphrase}\n`, encoding: 'utf8' }).trim();
  const port = await freePort();
  const issuer = await startProvider(`http://127.0.0.1:${port}/v1/access/oidc/callback`);
  const own = (env) => ({ PARLEY_SECRET: secret, ...env });
  const start = async (name, env, more = {}) => {
    servers[name] = await startServer({ name: `ways-${name}`, env, ...more });
  };
  await Promise.all([
    start('passphrase', own({ PARLEY_HOSTS_PASSPHRASE: hash })),
    start(
      'oidc',
      own({
        PARLEY_PUBLIC_URL: `http://127.0.0.1:${port}`,
        PARLEY_HOSTS_OIDC_ISSUER: issuer,
        PARLEY_HOSTS_OIDC_CLIENT_ID: account.client,
        PARLEY_HOSTS_OIDC_CLIENT_SECRET: account.secret,
        PARLEY_HOSTS_OIDC_ALLOW: account.allow,
        PARLEY_HOSTS_OIDC_NAME: 'Example',
      }),
      { port },
    ),
    start('anyone', own({ PARLEY_ROOMS_OPEN: 'anyone' })),
    start('tokens', own({ PARLEY_ROOMS_OPEN: 'tokens' })),
    start('none', {}),
  ]);
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await Promise.all(Object.values(servers).map((s) => s.stop()));
  provider?.kill('SIGTERM');
});
afterEach(async (t) => {
  await photographFailure(browser, t);
  await Promise.all(browser.contexts().map((c) => c.close()));
});
const shot = (page, name) => page.screenshot({ path: join(artifacts, `ways-${name}.png`) });
const attribute = (page, name, what) => id(page, name).getAttribute(what);
const open_ = (page) => attribute(page, 'first', 'data-open');

/** Starts the provider of OpenID Connect, which nobody here wrote, and returns its address. */
async function startProvider(redirect) {
  const bin = join(artifacts, 'oidcprovider');
  runProgram('go', ['build', '-o', bin, './internal/oidcprovider/cmd/provider'], { cwd: root, stdio: 'inherit' });
  const listen = `127.0.0.1:${await freePort()}`;
  const child = startProgram(bin, ['--listen', listen, '--redirect', redirect], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  provider = child;
  let said = '';
  child.stdout.on('data', (b) => {
    said += b;
  });
  return until('the provider', () => said.match(/ready (\S+)/)?.[1]);
}

test('wrong passphrases are slowed and counted; the right one signs in and out', { timeout: 60_000 }, async () => {
  const server = servers.passphrase;
  const page = await open(browser, `${server.url}/`, phone);
  const attempt = async (text) => {
    await id(page, 'passphrase').fill(text);
    await id(page, 'sign-in-submit').click();
  };
  await attempt('wrong');
  await id(page, 'sign-in-fault').waitFor();
  assert.equal(await attribute(page, 'sign-in-fault', 'data-code'), 'wrong_passphrase');
  await shot(page, 'wrong-passphrase');
  await accessible(page, 'a wrong passphrase');
  // somebody else's tries, by a program: it is made to wait
  const tries = [];
  for (let i = 0; i < 12; i++) {
    const r = await fetch(`${server.url}/v1/access/sign-in`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ passphrase: `guess ${i}` }),
    });
    tries.push([r.status, (await r.json()).error.code, r.headers.get('Retry-After')]);
  }
  assert.ok(
    tries.every(([status]) => status === 401 || status === 429),
    JSON.stringify(tries),
  );
  const [, code, after] = tries.at(-1);
  assert.ok(code === 'too_many_tries' && Number(after) > 0, JSON.stringify(tries));
  const wrong = tries.filter(([status]) => status === 401).length;
  assert.equal(await server.metric('parley_hosts_wrong_total'), 1 + wrong);
  assert.equal(await server.metric('parley_hosts_slowed_total'), tries.length - wrong);
  // a person is told how long, and gets in when the time is up
  await attempt('still wrong');
  await until(
    'to be told to wait',
    async () => (await attribute(page, 'sign-in-fault', 'data-code')) === 'too_many_tries',
  );
  assert.ok(await id(page, 'sign-in-submit').isDisabled());
  await shot(page, 'too-many-tries');
  await accessible(page, 'too many tries');
});

test('the passphrase signs in; a host signs out', { timeout: 60_000 }, async () => {
  const server = await startServer({
    name: 'ways-fresh',
    env: {
      PARLEY_SECRET: secret,
      PARLEY_HOSTS_PASSPHRASE: runProgram(binary, ['passphrase'], {
        input: `${passphrase}\n`,
        encoding: 'utf8',
      }).trim(),
    },
  });
  try {
    const page = await open(browser, `${server.url}/r/standup`);
    assert.equal(await door(page), 'knock'); // a stranger may ask
    await page.goto(`${server.url}/sign-in?return=/r/standup`);
    await id(page, 'sign-in-name').fill('Hana');
    await id(page, 'passphrase').fill(passphrase);
    await id(page, 'sign-in-submit').click();
    await id(page, 'check').waitFor();
    assert.ok(page.url().endsWith('/r/standup'), page.url());
    await pass(page, { name: 'Hana' });
    await id(page, 'leave').click();
    await over(page);
    await page.goto(`${server.url}/`);
    await id(page, 'sign-out').click();
    await id(page, 'sign-in').waitFor();
    await page.goto(`${server.url}/r/standup`);
    assert.notEqual(await door(page), 'join');
    // from another origin neither a form nor a script signs in, and no cookie goes along
    const foreign = await fetch(`${server.url}/v1/access/sign-in`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      body: JSON.stringify({ passphrase }),
    });
    assert.equal(foreign.status, 403);
    assert.equal(foreign.headers.get('Set-Cookie'), null);
  } finally {
    await server.stop();
  }
});

test('an account elsewhere signs in, if it is on the list', { timeout: 90_000 }, async () => {
  const server = servers.oidc;
  const signIn = async (who) => {
    const page = await open(browser, `${server.url}/sign-in?return=/r/account`, phone);
    await id(page, 'sign-in-oidc').click();
    await page.locator('[name=username]').fill(who);
    await page.locator('[name=password]').fill(account.password);
    await page.locator('[type=submit], button').first().click();
    return page;
  };
  const hana = await signIn('ann');
  await id(hana, 'check').waitFor();
  assert.ok(hana.url().startsWith(`${server.url}/r/account`), hana.url());
  await pass(hana, { name: 'Hana' });
  assert.equal(await id(hana, 'invite').first().isVisible(), true);
  // one who is not on the list, and one who says that she has the address of one who is
  for (const who of ['bob', 'eve']) {
    const other = await signIn(who);
    await id(other, 'sign-in-fault').first().waitFor();
    assert.equal(await id(other, 'sign-in-fault').first().getAttribute('data-code'), 'oidc_not_allowed', who);
    if (who === 'eve') continue;
    await shot(other, 'not-allowed');
    await accessible(other, 'an account that is not on the list');
  }
});

test('anyone, with a secret: the address lets in, the first moderates', { timeout: 60_000 }, async () => {
  await succession(servers.anyone);
});

test('no secret: the first moderates, the next follows when he leaves', { timeout: 60_000 }, async () => {
  await succession(servers.none);
});

async function succession(server) {
  const [ann, bob] = [await newPage(browser), await newPage(browser, phone)];
  await ann.goto(`${server.url}/`);
  await id(ann, 'first').waitFor();
  await until('the first page', async () => (await open_(ann)) === 'anyone');
  await accessible(ann, 'the first page, for anyone');
  for (const [page, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
  ]) {
    await page.goto(`${server.url}/r/kitchen`);
    await pass(page, { name });
  }
  const moderates = async (page) => {
    if (!(await id(page, 'people-panel').isVisible())) await id(page, 'people').click();
    return id(page, 'lock').isVisible();
  };
  await until('both to be seen', async () => (await id(bob, 'tile').count()) === 2);
  assert.ok(await moderates(ann), 'the first does not moderate');
  assert.ok(!(await moderates(bob)), 'the second moderates too');
  await id(ann, 'leave').click();
  await until('the second to follow', () => moderates(bob));
}

test('links of an application alone: a plain address says so', { timeout: 60_000 }, async () => {
  const server = servers.tokens;
  const page = await open(browser, `${server.url}/`, phone);
  await id(page, 'by-link').waitFor();
  assert.equal(await open_(page), 'tokens');
  await accessible(page, 'the first page, for tokens');
  await page.goto(`${server.url}/r/plain`);
  assert.equal(await refused(page), 'sign_in_needed');
  assert.ok(!(await id(page, 'entry-knock').isVisible()) && !(await id(page, 'entry-sign-in').isVisible()));
  await shot(page, 'tokens-plain');
  await accessible(page, 'a plain address, for tokens');
  const link = token(['--room', 'plain', '--identity', 'ann', '--name', 'Ann', '--link', server.url], secret);
  const ann = await open(browser, link);
  await pass(ann, {});
  await isIn(ann, 'Ann');
});
