// Independent SSE clients follow a room across cuts, and across a new start of the server, without a gap or a double.
// With PARLEY_URL they watch the server that runs there, without a secret; otherwise one is started.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startProxy } from '../support/proxy.mjs';
import { startServer, until } from '../support/server.mjs';
import { clients } from './clients.mjs';
import { join } from './people.mjs';
import { View } from './view.mjs';

let server;
let url;
let proxy;
before(async () => {
  server = process.env.PARLEY_URL ? null : await startServer({ name: 'sse' });
  url = process.env.PARLEY_URL ?? server.url;
  proxy = await startProxy(Number(new URL(url).port), new URL(url).hostname);
});
after(async () => {
  await proxy?.close();
  await server?.stop();
});

const room = `sse-${process.pid}`;
const watch = () => {
  const watchers = Object.entries(clients).map(([name, start]) => {
    const view = new View();
    return { name, view, stop: start(`${proxy.url}/v1/rooms/${room}/events`, view) };
  });
  return {
    watchers,
    /** Waits until every watcher sees these people and no others. */
    see: (...names) =>
      until(
        `all to see ${names}`,
        () => {
          for (const w of watchers) if (w.view.problem) throw w.view.problem;
          const late = watchers.filter((w) => JSON.stringify(w.view.names) !== JSON.stringify(names) || !w.view.last);
          if (late.length > 0) throw new Error(late.map((w) => `${w.name} sees ${w.view.names}`).join('; '));
          return true;
        },
        20_000,
      ),
    stop: () => Promise.all(watchers.map((w) => w.stop())),
  };
};

test('clients resume across cuts', { timeout: 90_000 }, async () => {
  const all = watch();
  try {
    await all.see();
    const ann = await join(url, room, 'Ann');
    await all.see('Ann');
    const others = [];
    for (let i = 0; i < 3; i++) {
      proxy.cut();
      others.push(await join(url, room, `Guest ${i}`));
      await (await join(url, room, 'Passer-by')).leave();
      proxy.restore();
      await all.see('Ann', ...others.map((_, n) => `Guest ${n}`));
    }
    await ann.leave();
    for (const o of others) await o.leave();
    await all.see();
    for (const { name, view } of all.watchers) {
      assert.equal(view.snapshots, 1, `${name} resumed: it was never sent a second snapshot`);
      // seven join and leave; three become moderators in turn, as the last one leaves
      assert.equal(view.events, 17, `${name} saw everything that happened`);
    }
  } finally {
    await all.stop();
  }
});

test('clients start over when the server does', {
  timeout: 90_000,
  skip: process.env.PARLEY_URL !== undefined,
}, async () => {
  const all = watch();
  try {
    await all.see();
    const ann = await join(url, room, 'Ann');
    await all.see('Ann');
    const { port } = server;
    await Promise.all([ann.leave(), server.stop()]);
    server = await startServer({ name: 'sse-again', port });
    const bob = await join(url, room, 'Bob');
    await all.see('Bob');
    for (const { name, view } of all.watchers)
      assert.equal(view.snapshots, 2, `${name} was sent a snapshot of the new room`);
    await bob.leave();
    await all.see();
  } finally {
    await all.stop();
  }
});
