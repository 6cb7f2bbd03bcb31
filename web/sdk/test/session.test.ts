import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ParleyError } from '../src/errors';
import { seen } from '../src/position';
import type { SessionEvent } from '../src/protocol';
import { Session } from '../src/session';
import type { SessionOwner } from '../src/sessionowner';
import { FakeSocket, latest } from './fakesocket';

const WELCOME = {
  type: 'welcome',
  session: 's1',
  secret: 'x',
  participant: 'p1',
  room: { room: 'r', position: 'e1.5', participants: [] },
  ping_seconds: 4,
  resume_seconds: 30,
};

/** A session with an owner that keeps positions as a room does. */
function start(join: SessionOwner['join'] = async () => ({ name: 'Ann' })) {
  const others = { left: 0 }; // tokens that may still be tried
  const log: string[] = [];
  let position: string | undefined;
  const events: SessionEvent[] = [];
  let ended: { error: ParleyError | undefined } | undefined;
  const owner: SessionOwner = {
    join,
    welcome: (w, again) => {
      position = w.room.position;
      log.push(again ? 'welcome again' : 'welcome');
    },
    knock: async () => ({ name: 'Bob', token: 'k' }),
    patient: () => true,
    waiting: (w) => log.push(`waiting for ${w.for}`),
    renewed: (r) => log.push(`renewed ${r.token}`),
    refused: () => others.left-- > 0,
    resumed: (r) => {
      if (r.room) position = r.room.position;
      log.push('resumed');
    },
    event: (event) => {
      if (seen(event.position, position)) return;
      position = event.position;
      events.push(event);
    },
    reached: (p) => {
      if (!seen(p, position)) position = p;
    },
    state: (state) => log.push(state),
    closed: (error) => {
      ended = { error };
    },
    position: () => position,
    fault: (error) => log.push(`fault ${error.code}`),
  };
  const session = new Session({
    url: 'ws://x/v1/rooms/r/ws',
    owner,
    socket: (url) => new FakeSocket(url) as unknown as WebSocket,
    random: () => 0.5, // no jitter
  });
  const started = session.start();
  started.catch(() => {});
  return { session, started, log, events, others, ended: () => ended, position: () => position };
}

async function joined(join?: SessionOwner['join']) {
  const s = start(join);
  latest().open();
  await vi.advanceTimersByTimeAsync(0);
  latest().say({ ...WELCOME, id: latest().last('join').id });
  await s.started;
  return s;
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => vi.useRealTimers());

describe('join', () => {
  it('sends one join and is connected by the welcome', async () => {
    const s = await joined();
    expect(latest().sent).toEqual([{ type: 'join', id: 1, name: 'Ann' }]);
    expect(s.log).toEqual(['welcome', 'connected']);
  });

  it('prepares the join while the socket opens', async () => {
    const join = vi.fn(async () => ({}));
    start(join);
    expect(join).toHaveBeenCalledTimes(1);
    latest().open();
    await vi.advanceTimersByTimeAsync(0);
    expect(join).toHaveBeenCalledTimes(1);
  });

  it('gives the error of a refused join', async () => {
    const s = start();
    latest().open();
    await vi.advanceTimersByTimeAsync(0);
    latest().say({ type: 'error', id: 1, code: 'room_full', message: 'full' });
    await expect(s.started).rejects.toMatchObject({ code: 'room_full', message: 'Full.', retry: true });
    expect(s.ended()?.error?.code).toBe('room_full');
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('gives the error behind a final close code', async () => {
    const s = start();
    latest().open();
    latest().drop(4503);
    await expect(s.started).rejects.toMatchObject({ code: 'forbidden', retry: false });
  });

  it('gives up a server that cannot be reached, after three tries', async () => {
    const s = start();
    latest().drop();
    latest().drop();
    await vi.advanceTimersByTimeAsync(300);
    latest().drop();
    await vi.advanceTimersByTimeAsync(1000);
    latest().drop();
    await expect(s.started).rejects.toMatchObject({ code: 'unreachable', retry: true });
    expect(FakeSocket.all.length).toBeLessThanOrEqual(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up where the join cannot be prepared', async () => {
    const s = start(async () => {
      throw new ParleyError('unauthorized');
    });
    latest().open();
    await expect(s.started).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('resume', () => {
  it('resumes at once with the last position and ignores what was seen', async () => {
    const s = await joined();
    const first = latest();
    first.say({ type: 'speaking', position: 'e1.7', participants: [] });
    first.drop();
    expect(s.log.at(-1)).toBe('reconnecting');
    const second = latest();
    expect(second).not.toBe(first);
    second.open();
    expect(second.sent).toEqual([{ type: 'resume', id: 2, session: 's1', secret: 'x', position: 'e1.7' }]);
    second.say({ type: 'resumed', id: 2, position: 'e1.7' });
    second.say({ type: 'speaking', position: 'e1.7', participants: [] });
    second.say({ type: 'speaking', position: 'e1.9', participants: ['a'] });
    expect(s.events.map((e) => e.position)).toEqual(['e1.7', 'e1.9']);
    expect(s.log.slice(-2)).toEqual(['resumed', 'connected']);
  });

  it('sends unanswered requests again with their old ids, in order, before new ones', async () => {
    const s = await joined();
    const a = s.session.request({ type: 'publish', kind: 'camera' });
    const b = s.session.request({ type: 'chat', text: 'hi' });
    const done = s.session.request({ type: 'chat', text: 'answered' });
    latest().say({ type: 'ok', id: 4 });
    await done;
    latest().drop();
    const c = s.session.request({ type: 'chat', text: 'new' });
    latest().open();
    expect(latest().sent).toHaveLength(1); // the resume alone: the session is not there yet
    latest().say({ type: 'resumed', id: latest().last('resume').id, position: 'e1.5' });
    expect(latest().sent.slice(1)).toEqual([
      { type: 'publish', kind: 'camera', id: 2 },
      { type: 'chat', text: 'hi', id: 3 },
      { type: 'chat', text: 'new', id: 6 },
    ]);
    for (const id of [2, 3, 6]) latest().say({ type: 'ok', id });
    await Promise.all([a, b, c]);
  });

  it('joins anew on the same socket when the session is gone', async () => {
    const s = await joined();
    const lost = s.session.request({ type: 'chat', text: 'x' });
    lost.catch(() => {});
    latest().drop();
    latest().open();
    latest().say({ type: 'error', id: latest().last('resume').id, code: 'session_gone', message: 'gone' });
    await expect(lost).rejects.toMatchObject({ code: 'session_gone', retry: true });
    await vi.advanceTimersByTimeAsync(0);
    const join = latest().last('join');
    expect(FakeSocket.all).toHaveLength(2);
    latest().say({ ...WELCOME, id: join.id, session: 's2', room: { ...WELCOME.room, position: 'e2.1' } });
    expect(s.log.slice(-2)).toEqual(['welcome again', 'connected']);
    expect(s.position()).toBe('e2.1');
  });

  it('goes on from the position of a pong', async () => {
    const s = await joined();
    latest().say({ type: 'pong', position: 'e1.40' });
    latest().drop();
    latest().open();
    expect(latest().last('resume').position).toBe('e1.40');
    expect(s.log.at(-1)).toBe('reconnecting');
  });
});

describe('coming back', () => {
  it('waits longer each time, and forgets that after a healthy while', async () => {
    const s = await joined();
    latest().drop();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      const before = FakeSocket.all.length;
      latest().drop();
      let waited = 0;
      while (FakeSocket.all.length === before) {
        await vi.advanceTimersByTimeAsync(50);
        waited += 50;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([300, 1000, 2000, 4000, 7000, 7000]);
    latest().open();
    latest().say({ type: 'resumed', id: latest().last('resume').id, position: 'e1.5' });
    for (let i = 0; i < 6; i++) {
      await vi.advanceTimersByTimeAsync(1000);
      latest().say({ type: 'pong', position: 'e1.5' });
    }
    const before = FakeSocket.all.length;
    latest().drop();
    expect(FakeSocket.all.length).toBe(before + 1);
    expect(s.session.state).toBe('reconnecting');
  });

  it('comes back after the seconds that a draining server names, and then tries often', async () => {
    await joined();
    latest().drop(4000, '0.35');
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(340);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20);
    expect(FakeSocket.all).toHaveLength(2);
    for (let n = 3; n < 10; n++) {
      latest().drop();
      await vi.advanceTimersByTimeAsync(800);
      expect(FakeSocket.all).toHaveLength(n);
    }
  });

  it('comes back at once when the network does', async () => {
    const s = await joined();
    for (let i = 0; i < 4; i++) latest().drop();
    await vi.advanceTimersByTimeAsync(1500);
    latest().drop();
    const before = FakeSocket.all.length;
    s.session.probe();
    expect(FakeSocket.all).toHaveLength(before + 1);
  });

  for (const code of [4001, 4002, 4004, 4005, 4499, 1000, 1001, 1006]) {
    it(`comes back after ${code}`, async () => {
      const s = await joined();
      latest().drop(code);
      expect(FakeSocket.all).toHaveLength(2);
      expect(s.ended()).toBeUndefined();
    });
  }

  for (const [code, name] of [
    [4504, 'replaced'],
    [4505, 'removed'],
    [4506, 'room_ended'],
    [4700, 'closed'],
  ] as const) {
    it(`ends after ${code}`, async () => {
      const s = await joined();
      const request = s.session.request({ type: 'chat', text: 'x' });
      latest().drop(code);
      await expect(request).rejects.toMatchObject({ code: name });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(FakeSocket.all).toHaveLength(1);
      expect(s.ended()?.error?.code).toBe(name);
      expect(vi.getTimerCount()).toBe(0);
    });
  }
});

describe('keepalive', () => {
  it('pings every four seconds', async () => {
    await joined();
    for (let i = 0; i < 12; i++) {
      await vi.advanceTimersByTimeAsync(1000);
      latest().say({ type: 'pong', position: 'e1.5' });
    }
    expect(latest().sent.filter((m) => m.type === 'ping')).toHaveLength(3);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('leaves a connection that is silent for ten seconds', async () => {
    await joined();
    const first = latest();
    await vi.advanceTimersByTimeAsync(9500);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1500);
    expect(FakeSocket.all).toHaveLength(2);
    expect(first.closed).toBe(3001); // neither 1000 nor 1001: the session stays
  });

  it('resumes beside a connection that does not answer, without a word to anybody', async () => {
    const s = await joined();
    const old = latest();
    s.session.probe();
    expect(old.last('ping')).toBeTruthy();
    const request = s.session.request({ type: 'negotiate' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.all).toHaveLength(2);
    expect(old.closed).toBeUndefined(); // it may answer yet
    latest().open();
    expect(latest().last('resume')).toMatchObject({ session: 's1', secret: 'x', position: 'e1.5' });
    expect(old.closed).toBe(3001);
    latest().say({ type: 'resumed', id: latest().last('resume').id, position: 'e1.5' });
    latest().say({ type: 'ok', id: latest().last('negotiate').id });
    await request;
    expect(s.log).toEqual(['welcome', 'connected', 'resumed']);
  });

  it('keeps the old connection where it speaks first', async () => {
    const s = await joined();
    const old = latest();
    s.session.probe();
    await vi.advanceTimersByTimeAsync(2000);
    const spare = latest();
    old.say({ type: 'pong', position: 'e1.5' });
    expect([spare === old, spare.closed, old.closed]).toEqual([false, 3001, undefined]);
    spare.open(); // too late
    expect(spare.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('makes another where the one beside fails, and reconnects after all when the old one stays silent', async () => {
    const s = await joined();
    s.session.probe();
    await vi.advanceTimersByTimeAsync(1000);
    latest().drop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.all).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(8000);
    expect(s.log).toContain('reconnecting');
    expect(FakeSocket.all).toHaveLength(4);
    expect(FakeSocket.all[2]?.closed).toBe(3001);
  });

  for (const [what, shift] of [
    ['back', -300_000],
    ['forward', 300_000],
  ] as const) {
    it(`stays connected when the wall clock is set ${what} by five minutes`, async () => {
      const s = await joined();
      const socket = latest();
      const answer = async (seconds: number) => {
        for (let i = 0; i < seconds; i++) {
          await vi.advanceTimersByTimeAsync(1000);
          if (socket.sent.at(-1)?.type === 'ping') socket.say({ type: 'pong', position: 'e1.5' });
        }
      };
      await answer(5);
      const before = socket.sent.length;
      vi.setSystemTime(Date.now() + shift);
      await answer(1);
      expect(socket.sent.length).toBe(before + 1); // it may have been sleep: is the server still there?
      await answer(60);
      expect(FakeSocket.all).toEqual([socket]);
      expect(socket.sent.length).toBeGreaterThan(before + 13);
      expect(s.log).not.toContain('reconnecting');
    });
  }

  it('comes back by its clock where the page is hidden and its timers stand still', async () => {
    await joined();
    latest().drop(1006);
    const sockets = FakeSocket.all.length; // the first attempt is made at once
    const still = vi.spyOn(globalThis, 'setTimeout').mockImplementation(() => 0 as never);
    latest().drop(1006);
    await vi.advanceTimersByTimeAsync(1000);
    still.mockRestore();
    expect(FakeSocket.all).toHaveLength(sockets + 1);
  });
});

describe('tokens', () => {
  it('are renewed in band', async () => {
    const s = await joined();
    latest().say({ type: 'credentials', token: 't1', token_ttl: 600 });
    expect(s.log.at(-1)).toBe('renewed t1');
  });

  it('are tried another, where the first is refused at the join', async () => {
    const s = start();
    s.others.left = 1;
    for (const _ of [1, 2]) {
      latest().open();
      await vi.advanceTimersByTimeAsync(0);
      const socket = latest();
      socket.say({ type: 'error', id: socket.last('join').id, code: 'unauthorized', message: 'expired' });
      await vi.advanceTimersByTimeAsync(1000);
    }
    await expect(s.started).rejects.toMatchObject({ code: 'unauthorized' });
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('are tried another, where the session ends with the first', async () => {
    const s = await joined();
    s.others.left = 1;
    const request = s.session.request({ type: 'chat', text: 'x' });
    latest().drop(4501);
    await expect(request).rejects.toMatchObject({ code: 'session_gone' });
    latest().open();
    await vi.advanceTimersByTimeAsync(0);
    latest().say({ ...WELCOME, id: latest().last('join').id });
    expect(s.log).toEqual(['welcome', 'connected', 'reconnecting', 'welcome again', 'connected']);
  });
});

describe('requests', () => {
  it('rejects with the server error', async () => {
    const s = await joined();
    const request = s.session.request({ type: 'chat', text: 'x' });
    latest().say({ type: 'error', id: 2, code: 'text_too_long', message: 'Too long.' });
    await expect(request).rejects.toEqual(expect.objectContaining({ code: 'text_too_long', message: 'Too long.' }));
  });

  it('sends what came too fast again with a new id', async () => {
    const s = await joined();
    const request = s.session.request({ type: 'chat', text: 'x' });
    latest().say({ type: 'error', id: 2, code: 'rate_limited', message: 'slow', retry_ms: 400 });
    await vi.advanceTimersByTimeAsync(390);
    expect(latest().sent.filter((m) => m.type === 'chat')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20);
    expect(latest().last('chat').id).toBe(3);
    latest().say({ type: 'ok', id: 3 });
    await request;
  });

  it('gives up a request that a connected server does not answer', async () => {
    const s = await joined();
    const request = s.session.request({ type: 'chat', text: 'x' });
    request.catch(() => {});
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(1000);
      latest().say({ type: 'pong', position: 'e1.5' });
    }
    await expect(request).rejects.toMatchObject({ code: 'no_answer' });
  });

  it('bounds what waits', async () => {
    const s = await joined();
    const requests = Array.from({ length: 257 }, () => s.session.request({ type: 'chat', text: 'x' }));
    for (const r of requests) r.catch(() => {});
    await expect(requests[256]).rejects.toMatchObject({ code: 'busy', retry: true });
  });

  it('tells errors that answer nothing', async () => {
    const s = await joined();
    latest().say({ type: 'error', code: 'message_too_big', message: 'x' });
    latest().onmessage?.({ data: '{not json' });
    expect(s.log.slice(-2)).toEqual(['fault message_too_big', 'fault bad_answer']);
  });
});

describe('leaving', () => {
  it('says so and waits for the close', async () => {
    const s = await joined();
    const left = s.session.leave();
    expect(latest().last('leave')).toEqual({ type: 'leave' });
    latest().drop(1000);
    await left;
    expect(s.ended()).toEqual({ error: undefined });
    expect(FakeSocket.all).toHaveLength(1);
    await expect(s.session.request({ type: 'chat' })).rejects.toMatchObject({ code: 'closed' });
  });

  it('waits no longer than a second', async () => {
    const s = await joined();
    const left = s.session.leave();
    await vi.advanceTimersByTimeAsync(1000);
    await left;
    expect(latest().closed).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends when the room says so, without a close code', async () => {
    const s = await joined();
    s.session.finish(new ParleyError('removed'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(s.ended()?.error?.code).toBe('removed');
    expect(FakeSocket.all).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves when the page sleeps and joins anew when it wakes', async () => {
    const s = await joined();
    const first = latest();
    s.session.sleep();
    expect(first.last('leave')).toBeTruthy();
    expect(first.closed).toBe(1000);
    s.session.wake();
    latest().open();
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().last('join')).toBeTruthy();
  });
});
