import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Chat } from '../src/chat';
import { Credentials } from '../src/credentials';
import { ParleyError } from '../src/errors';
import { Session } from '../src/session';
import { FakeSocket, latest } from './fakesocket';

const WELCOME = {
  type: 'welcome',
  session: 's1',
  secret: 'x',
  participant: 'p1',
  room: { room: 'r', position: 'e1.5', participants: [] },
};

/** A session that takes its tokens from real Credentials, and is in. */
async function inside(renew?: () => Promise<string | undefined>) {
  const credentials = new Credentials('link', renew);
  const log: string[] = [];
  let ended: ParleyError | undefined;
  const session = new Session({
    url: 'ws://x/v1/rooms/r/ws',
    owner: {
      join: async () => ({ token: await credentials.token() }),
      knock: async () => ({ token: await credentials.token() }),
      patient: () => true,
      waiting: (w) => log.push(`waiting for ${w.for}`),
      welcome: (_, again) => {
        credentials.accepted();
        log.push(again ? 'welcome again' : 'welcome');
      },
      resumed: () => log.push('resumed'),
      renewed: (r) => void credentials.take(r),
      refused: (code) => credentials.refused(code),
      event: () => {},
      reached: () => {},
      state: (state) => log.push(state),
      closed: (error) => {
        ended = error;
      },
      position: () => 'e1.5',
      fault: () => {},
    },
    socket: (url) => new FakeSocket(url) as unknown as WebSocket,
    random: () => 0.5,
  });
  const started = session.start();
  await open();
  answer('join', WELCOME);
  await started;
  return { session, log, ended: () => ended };
}

async function open() {
  latest().open();
  await vi.advanceTimersByTimeAsync(0);
}

function answer(to: 'join' | 'resume' | 'knock', message: Record<string, unknown>) {
  const socket = latest();
  socket.say({ ...message, id: socket.last(to).id });
}

const refusal = (code: string) => ({ type: 'error', code, message: code });

/** The connection is made again, the session is gone, and so is the token. */
async function lateReturn() {
  latest().drop();
  await open();
  answer('resume', refusal('session_gone'));
  await vi.advanceTimersByTimeAsync(0);
  answer('join', refusal('unauthorized'));
  await vi.advanceTimersByTimeAsync(1000);
  if (latest().readyState === 0) await open();
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => vi.useRealTimers());

describe('staying in', () => {
  it('tries for as long as the page lives, at least every nine seconds', async () => {
    const s = await inside();
    latest().drop();
    const began = FakeSocket.all.length;
    for (let seconds = 0; seconds < 600; seconds++) {
      if (latest().readyState === 0) latest().drop();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(FakeSocket.all.length - began).toBeGreaterThan(600 / 9);
    expect(s.session.state).toBe('reconnecting');
    if (latest().readyState !== 0) await vi.advanceTimersByTimeAsync(9000);
    await open();
    answer('resume', refusal('session_gone'));
    await vi.advanceTimersByTimeAsync(0);
    answer('join', WELCOME);
    expect(s.log.slice(-2)).toEqual(['welcome again', 'connected']);
  });

  it('asks for another token where ours has ended, and again while nobody can make one', async () => {
    const tries: string[] = [];
    const s = await inside(async () => {
      tries.push('renew');
      if (tries.length < 5) throw new TypeError('Failed to fetch');
      return 'new';
    });
    await lateReturn();
    for (let i = 0; tries.length < 5; i++) {
      expect(i).toBeLessThan(20);
      await vi.advanceTimersByTimeAsync(9000);
      if (latest().readyState === 0) await open();
    }
    expect(latest().last('join').token).toBe('new');
    answer('join', WELCOME);
    expect(s.log.slice(-2)).toEqual(['welcome again', 'connected']);
    expect(s.ended()).toBeUndefined();
  });

  it('ends where the server says why no other token is made', async () => {
    const s = await inside(async () => {
      throw new ParleyError('invitation_revoked');
    });
    await lateReturn();
    expect(s.ended()).toMatchObject({ code: 'invitation_revoked' });
  });

  it('goes on with another token where the server ends a session with its own', async () => {
    const s = await inside(async () => 'new');
    latest().drop(4514);
    await vi.advanceTimersByTimeAsync(0);
    await open();
    expect(latest().last('join').token).toBe('new');
    answer('join', WELCOME);
    expect(s.log.slice(-2)).toEqual(['welcome again', 'connected']);
  });

  it.each([
    [4505, 'removed'],
    [4506, 'room_ended'],
    [4512, 'banned'],
    [4514, 'token_expired'],
  ])('ends for good by %d', async (close, code) => {
    const s = await inside();
    latest().say({ type: 'credentials', token: 'renewed' });
    latest().drop(close);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(s.ended()).toMatchObject({ code });
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('keeps a session that the server cannot resume at the moment', async () => {
    const s = await inside();
    latest().drop();
    await open();
    answer('resume', { ...refusal('rate_limited'), retry_ms: 500 });
    await vi.advanceTimersByTimeAsync(1000);
    await open();
    answer('resume', { type: 'resumed', position: 'e1.5' });
    expect(s.log.slice(-2)).toEqual(['resumed', 'connected']);
  });

  it('knocks where the room that it comes back to is empty', async () => {
    const s = await inside();
    latest().drop();
    await open();
    answer('resume', refusal('session_gone'));
    await vi.advanceTimersByTimeAsync(0);
    answer('join', refusal('must_knock'));
    await vi.advanceTimersByTimeAsync(0);
    answer('knock', { type: 'waiting', knock: 'k', secret: 's', for: 'host' });
    expect(s.log.at(-1)).toBe('waiting for host');
    latest().say({ type: 'admitted', token: 'in' });
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().last('join').token).toBe('in');
    answer('join', WELCOME);
    expect(s.log.slice(-2)).toEqual(['welcome again', 'connected']);
  });

  it('begins anew at once where the network comes back while a connection hangs', async () => {
    const s = await inside();
    latest().drop();
    const hanging = latest();
    await vi.advanceTimersByTimeAsync(1000);
    s.session.probe();
    expect(latest()).toBe(hanging); // it may be on its way
    await vi.advanceTimersByTimeAsync(2000);
    s.session.probe();
    expect(latest()).not.toBe(hanging);
    expect(hanging.readyState).toBe(3);
    await open();
    answer('resume', { type: 'resumed', position: 'e1.5' });
    expect(s.session.state).toBe('connected');
  });
});

describe('the chat', () => {
  const line = (position: string, second: number, to?: string) => ({
    type: 'message' as const,
    position,
    from: 'p',
    text: position,
    at: new Date(second * 1000).toISOString(),
    to,
  });

  it('keeps what the server does not remember: what is older, private, or from before its restart', () => {
    const chat = new Chat();
    for (const l of [line('a.1', 1), line('a.2', 2, 'me'), line('a.3', 3)]) chat.add(l);
    chat.merge([line('a.3', 3), line('a.4', 4)]);
    expect(chat.messages.map((m) => m.id)).toEqual(['a.1', 'a.2', 'a.3', 'a.4']);
    chat.merge(undefined);
    chat.merge([line('b.1', 5)]);
    expect(chat.messages.map((m) => m.id)).toEqual(['a.1', 'a.2', 'a.3', 'a.4', 'b.1']);
  });

  it('keeps a thousand', () => {
    const chat = new Chat();
    for (let i = 0; i < 1100; i++) chat.add(line(`a.${i}`, i));
    chat.merge([line('b.1', 2000)]);
    expect(chat.messages).toHaveLength(1000);
    expect(chat.messages.at(-1)?.id).toBe('b.1');
  });
});
