import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ParleyError } from '../src/errors';
import { Session } from '../src/session';
import type { SessionOwner } from '../src/sessionowner';
import { FakeSocket, latest } from './fakesocket';

const WAITING = { type: 'waiting', knock: 'k1', secret: 's', for: 'moderator', ping_seconds: 4, resume_seconds: 30 };

function start({ knock = false, patient = true } = {}) {
  const log: string[] = [];
  let ended: ParleyError | undefined;
  let token = 'first';
  const owner: SessionOwner = {
    join: async () => ({ token, media: 'offer' }),
    knock: async () => ({ token }),
    patient: () => patient,
    waiting: (w) => log.push(`for ${w.for}${w.connected ? '' : ', lost'}`),
    renewed: (r) => {
      token = r.token ?? token;
    },
    welcome: () => log.push('welcome'),
    resumed: () => {},
    refused: () => false,
    event: () => {},
    reached: () => {},
    state: (state) => log.push(state),
    closed: (error) => {
      ended = error;
    },
    position: () => undefined,
    fault: () => {},
  };
  const session = new Session({
    url: 'ws://x/v1/rooms/r/ws',
    owner,
    knock,
    socket: (url) => new FakeSocket(url) as unknown as WebSocket,
    random: () => 0.5,
  });
  const started = session.start();
  started.catch(() => {});
  return { session, started, log, ended: () => ended };
}

async function open() {
  latest().open();
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => vi.useRealTimers());

describe('knocking', () => {
  it('knocks without an offer, pings, and joins on the same socket with the token that it is given', async () => {
    const s = start({ knock: true });
    await open();
    expect(latest().sent).toEqual([{ type: 'knock', token: 'first', id: 1 }]);
    latest().say({ ...WAITING, id: 1 });
    latest().say({ ...WAITING, for: 'host' });
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(4000);
      latest().say({ type: 'pong' });
    }
    expect(latest().sent.filter((m) => m.type === 'ping').length).toBeGreaterThan(3);
    latest().say({ type: 'admitted', token: 'in', token_ttl: 3600 });
    await vi.advanceTimersByTimeAsync(0);
    const join = latest().last('join');
    expect(join).toMatchObject({ token: 'in', media: 'offer' });
    latest().say({
      type: 'welcome',
      id: join.id,
      session: 's',
      secret: 'x',
      participant: 'p',
      room: { position: 'e.1' },
    });
    await s.started;
    expect(s.log).toEqual(['for moderator', 'for host', 'welcome', 'connected']);
    expect(FakeSocket.all.length).toBe(1);
  });

  it('knocks where a join is answered that it must, unless nobody would hear of it', async () => {
    start();
    await open();
    latest().say({ type: 'error', id: latest().last('join').id, code: 'must_knock', message: 'knock' });
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().last('knock')).toMatchObject({ token: 'first' });

    const silent = start({ patient: false });
    await open();
    latest().say({ type: 'error', id: latest().last('join').id, code: 'must_knock', message: 'knock' });
    await vi.advanceTimersByTimeAsync(0);
    expect(silent.ended()?.code).toBe('must_knock');
  });

  it('takes its knock up on a new connection, however long that takes, and knocks anew where it is forgotten', async () => {
    const s = start({ knock: true });
    await open();
    latest().say({ ...WAITING, id: 1 });
    for (let i = 0; i < 8; i++) {
      latest().drop();
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(s.ended()).toBeUndefined();
    await open();
    expect(latest().last('knock')).toMatchObject({ knock: 'k1', secret: 's' });
    expect(s.log.slice(0, 2)).toEqual(['for moderator', 'for moderator, lost']);
    latest().say({ type: 'error', id: latest().last('knock').id, code: 'session_gone', message: 'gone' });
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().last('knock')).toMatchObject({ token: 'first' });
    expect(latest().last('knock').knock).toBeUndefined();
  });

  it('ends when it is declined', async () => {
    const s = start({ knock: true });
    await open();
    latest().say({ ...WAITING, id: 1 });
    latest().say({
      type: 'error',
      code: 'declined',
      message: 'a moderator has declined to let you in',
      retry_ms: 60000,
    });
    latest().drop(4515);
    await expect(s.started).rejects.toMatchObject({ code: 'declined', retryMs: 60000 });
  });

  it('withdraws when it is given up', async () => {
    const s = start({ knock: true });
    await open();
    latest().say({ ...WAITING, id: 1 });
    const leaving = s.session.leave();
    expect(latest().last('leave')).toBeDefined();
    latest().drop(1000);
    await leaving;
    await expect(s.started).rejects.toMatchObject({ code: 'closed' });
  });
});
