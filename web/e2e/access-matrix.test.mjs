// What a token may not do is refused in each place, with its code, and what it may do is done: every permission against every request of the
// WebSocket and of HTTP. No browser: the requests are made by hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { secret } from './support/access.mjs';
import { startServer, token, until } from './support/server.mjs';

const room = 'matrix';
let server;
before(async () => {
  server = await startServer({ name: 'matrix', env: { PARLEY_SECRET: secret } });
});
after(() => server?.stop());

/** A connection on which requests are answered, one at a time. */
async function connect(where = room) {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/v1/rooms/${where}/ws`, 'parley.v1');
  const seen = [];
  ws.on('message', (m) => seen.push(JSON.parse(m)));
  ws.on('error', () => undefined);
  await new Promise((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  let last = 0;
  return {
    seen,
    close: () => ws.close(),
    /** The answer's type, or the code of the error. */
    async ask(request) {
      const mine = ++last;
      ws.send(JSON.stringify({ ...request, id: mine }));
      const answer = await until(`an answer to ${request.type}`, () => seen.find((m) => m.id === mine), 10_000, 5);
      return answer.type === 'error' ? answer.code : answer;
    },
  };
}
const make = (identity, can, more = []) =>
  token(['--room', room, '--identity', identity, ...(can ? ['--can', can] : []), ...more], secret);
async function joined(identity, can) {
  const c = await connect();
  const welcome = await c.ask({ type: 'join', token: make(identity, can), name: identity });
  assert.equal(welcome.type, 'welcome', JSON.stringify(welcome));
  return { ...c, welcome };
}

const people = {
  'join alone': 'join',
  watch: 'watch',
  publish: 'publish',
  subscribe: 'subscribe',
  message: 'message',
  invite: 'message,invite', // with something to give: a link that lets nobody in is refused
  moderate: 'message,moderate',
};
// who may; everybody else is told forbidden
const requests = [
  [{ type: 'chat', text: 'hello' }, ['message', 'invite', 'moderate']],
  [{ type: 'invite' }, ['invite', 'moderate']],
  [{ type: 'invitations' }, ['invite', 'moderate']],
  [{ type: 'revoke', invitation: 'nothing' }, ['invite', 'moderate'], 'no_such_invitation'],
  [{ type: 'bans' }, ['moderate']],
  [{ type: 'moderate', action: 'lock' }, ['moderate']],
  [{ type: 'moderate', action: 'unlock' }, ['moderate']],
  [{ type: 'moderate', action: 'admit' }, ['moderate']],
  [{ type: 'moderate', action: 'decline' }, ['moderate']],
  [{ type: 'moderate', action: 'unban' }, ['moderate']],
];

test('requests in a room', async () => {
  for (const [who, can] of Object.entries(people)) {
    if (who === 'watch') continue; // does not let in: below
    const c = await joined(who.replaceAll(' ', '-'), can);
    for (const [request, allowed, answer] of requests) {
      const got = await c.ask(request);
      const what = `${JSON.stringify(request)} by who may ${who}: ${JSON.stringify(got)}`;
      if (!allowed.includes(who)) assert.equal(got, 'forbidden', what);
      else if (answer) assert.equal(got, answer, what);
      else assert.notEqual(got?.type, undefined, what);
    }
    c.close();
  }
});

test('who may only watch does not join; who must knock does not either; a guest opens no room', async () => {
  const watcher = await connect();
  assert.equal(await watcher.ask({ type: 'join', token: make('w', 'watch') }), 'forbidden');
  const knocker = await connect();
  assert.equal(await knocker.ask({ type: 'join', token: make('k', '', ['--knock']) }), 'must_knock');
  for (const c of [watcher, knocker]) c.close();
  const empty = await connect('empty-room');
  const guest = token(['--room', 'empty-room', '--identity', 'g', '--guest'], secret);
  assert.equal(await empty.ask({ type: 'join', token: guest }), 'must_knock');
  assert.equal((await empty.ask({ type: 'knock', token: guest })).for, 'host');
  empty.close();
});

test('nobody invites to more than he may himself', async () => {
  const c = await joined('some', 'join,message,invite');
  assert.equal(await c.ask({ type: 'invite', can: ['moderate'] }), 'forbidden');
  assert.equal(await c.ask({ type: 'invite', can: ['publish'] }), 'forbidden');
  const { invitation } = await c.ask({ type: 'invite', can: ['message'] });
  assert.deepEqual(invitation.can.includes('moderate'), false);
  // and sees and revokes his own alone
  const host = await joined('host', 'message,moderate');
  const other = (await host.ask({ type: 'invite' })).invitation;
  const own = (await c.ask({ type: 'invitations' })).invitations.map((i) => i.id);
  assert.ok(own.includes(invitation.id) && !own.includes(other.id), own.join());
  assert.equal(await c.ask({ type: 'revoke', invitation: other.id }), 'no_such_invitation');
  assert.equal((await host.ask({ type: 'revoke', invitation: invitation.id })).type, 'ok');
  c.close();
  host.close();
});

test('who knocks is told to moderators alone', async () => {
  const host = await joined('host', 'moderate');
  const plain = await joined('plain', 'publish,subscribe,message,watch,invite');
  const door = await connect();
  const asked = await door.ask({ type: 'knock', token: make('dora', '', ['--knock']), name: 'Dora' });
  assert.equal(asked.for, 'moderator');
  await until('the host to be told', () => host.seen.find((m) => m.type === 'knocking'));
  assert.ok((await plain.ask({ type: 'chat', text: 'after it' })).type);
  assert.equal(
    plain.seen.some((m) => m.type === 'knocking' || m.knock),
    false,
  );
  const snapshot = async (can) => {
    const r = await fetch(`${server.url}/v1/rooms/${room}/events`, {
      headers: { Accept: 'application/json', Authorization: `Bearer ${make('reader', can)}` },
    });
    return [r.status, await r.text()];
  };
  const [status, seen] = await snapshot('watch,moderate');
  assert.ok(status === 200 && seen.includes('"waiting"') && seen.includes('Dora'), seen);
  const [plainStatus, plainSeen] = await snapshot('watch');
  assert.ok(plainStatus === 200 && !plainSeen.includes('Dora') && !plainSeen.includes('"waiting"'), plainSeen);
  assert.equal((await snapshot('join'))[0], 403);
  // a knock is not let in by saying so
  assert.equal(await door.ask({ type: 'join', token: make('dora', '', ['--knock']) }), 'must_knock');
  assert.equal((await host.ask({ type: 'moderate', action: 'decline', knock: asked.knock })).type, 'ok');
  await until('the answer', () => door.seen.find((m) => m.code === 'declined'));
  for (const c of [host, plain, door]) c.close();
});

test('the same over HTTP, for applications', async () => {
  const call = async (method, path, can, body) => {
    const headers = { 'Content-Type': 'application/json' };
    if (can !== undefined) headers.Authorization = `Bearer ${can.includes('.') ? can : make('app', can)}`;
    const r = await fetch(`${server.url}/v1/rooms/${room}/${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
    });
    await r.text();
    return r.status;
  };
  const endpoints = [
    ['GET', 'invitations', ['message,invite', 'message,moderate']],
    ['POST', 'invitations', ['message,invite', 'message,moderate'], {}],
    ['DELETE', 'invitations', ['message,invite', 'message,moderate']],
    ['GET', 'bans', ['message,moderate']],
    ['DELETE', 'bans', ['message,moderate']],
    ['GET', 'waiting', ['message,moderate']],
    ['POST', 'waiting', ['message,moderate'], { action: 'admit' }],
  ];
  const elsewhere = token(['--room', 'another', '--identity', 'app', '--can', 'moderate'], secret);
  const forged = token(['--room', room, '--identity', 'app', '--can', 'moderate'], 'another secret of the tests');
  for (const [method, path, allowed, body] of endpoints) {
    for (const can of Object.values(people)) {
      const status = await call(method, path, can, body);
      const what = `${method} ${path} with ${can}: ${status}`;
      if (allowed.includes(can)) assert.ok(status >= 200 && status < 300, what);
      else assert.equal(status, 403, what);
    }
    assert.equal(await call(method, path, undefined, body), 401, `${method} ${path} without a token`);
    assert.equal(await call(method, path, forged, body), 401, `${method} ${path} with a forged token`);
    assert.ok(
      [401, 403].includes(await call(method, path, elsewhere, body)),
      `${method} ${path} with one for another room`,
    );
  }
});
