// A TCP proxy that can be cut: the page's signaling goes through it, media does not.
import { connect, createServer } from 'node:net';

export async function startProxy(port, host = '127.0.0.1') {
  const open = new Set();
  let refusing = false;
  let swallowing = false;
  let accepted = 0;
  const server = createServer((down) => {
    if (refusing) return down.destroy();
    if (swallowing) {
      open.add(down);
      return down
        .on('error', () => {})
        .on('close', () => open.delete(down))
        .resume();
    }
    accepted++;
    const up = connect(port, host);
    for (const [a, b] of [
      [down, up],
      [up, down],
    ]) {
      a.setNoDelay(true);
      a.on('error', () => b.destroy());
      a.on('close', () => {
        b.destroy();
        open.delete(a);
      });
      open.add(a);
      a.pipe(b);
    }
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    get accepted() {
      return accepted;
    },
    /** Breaks every connection without a closing handshake, and refuses new ones until restore(). */
    cut() {
      refusing = true;
      for (const s of open) s.resetAndDestroy();
    },
    /** Lets nothing through any more, and says nothing: as a network that is gone. */
    swallow() {
      swallowing = true;
      for (const s of open) s.unpipe().resume();
    },
    restore() {
      if (swallowing) for (const s of open) s.resetAndDestroy();
      refusing = swallowing = false;
    },
    close() {
      for (const s of open) s.destroy();
      return new Promise((r) => server.close(r));
    },
  };
}
