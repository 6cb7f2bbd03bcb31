import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Presence } from '../src/presence';

/** An EventSource whose other end is the test. */
class FakeEventSource {
  static CLOSED = 2;
  static all: FakeEventSource[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly listeners = new Map<string, (event: { data: string; lastEventId: string }) => void>();
  readonly url: URL;
  constructor(url: URL) {
    this.url = url;
    FakeEventSource.all.push(this);
  }
  addEventListener(type: string, listener: never): void {
    this.listeners.set(type, listener);
  }
  close(): void {
    this.readyState = 2;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(type: string, position: string, data: object): void {
    this.listeners.get(type)?.({ data: JSON.stringify({ type, position, ...data }), lastEventId: position });
  }
  fail(readyState: 0 | 2): void {
    this.readyState = readyState;
    this.onerror?.();
  }
}

const snapshot = (position: string, ...ids: string[]) => ({
  room: 'r',
  position,
  locked: false,
  participants: ids.map((id) => ({ id, name: id })),
});
const answer = (status: number, body: object) => ({ ok: status < 300, status, json: async () => body });
const stream = () => FakeEventSource.all[FakeEventSource.all.length - 1]!;
const asked = (fetch: ReturnType<typeof vi.fn>, call: number) => new URL(String(fetch.mock.calls[call]?.[0]));

const open: Presence[] = [];
function watch(options: Partial<Parameters<typeof Presence.watch>[0]> = {}) {
  const presence = Presence.watch({ url: 'http://x', room: 'r', ...options });
  open.push(presence);
  const log: string[] = [];
  presence.on('state', (state) => log.push(state));
  presence.on('reset', () => log.push(`reset ${[...presence.participants.keys()]}`));
  presence.on('joined', (p) => log.push(`joined ${p.id}`));
  presence.on('left', ({ participant }) => log.push(`left ${participant.id}`));
  presence.on('closed', (error) => log.push(`closed ${error?.code}`));
  return { presence, log };
}

let fetch: ReturnType<typeof vi.fn>;
beforeEach(() => {
  vi.useFakeTimers();
  FakeEventSource.all = [];
  fetch = vi.fn(() => new Promise(() => {}));
  vi.stubGlobal('EventSource', FakeEventSource);
  vi.stubGlobal('fetch', fetch);
});
afterEach(() => {
  for (const presence of open.splice(0)) presence.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('presence by server-sent events', () => {
  it('follows the snapshot and what comes after it', async () => {
    const { presence, log } = watch({ token: async () => 'secret' });
    await vi.advanceTimersByTimeAsync(0);
    expect(stream().url.href).toBe('http://x/v1/rooms/r/events?access_token=secret');
    stream().open();
    stream().say('snapshot', 'e1.4', snapshot('e1.4', 'a'));
    stream().say('joined', 'e1.5', { participant: { id: 'b' } });
    stream().say('joined', 'e1.5', { participant: { id: 'b' } }); // twice by mistake
    stream().say('left', 'e1.7', { participant: 'a', reason: 'left' });
    expect(log).toEqual(['live', 'reset a', 'joined b', 'left a']);
    expect(presence.position).toBe('e1.7');
    expect(fetch).not.toHaveBeenCalled();
  });

  it('is reconnecting while the browser is', async () => {
    const { log } = watch();
    await vi.advanceTimersByTimeAsync(0);
    stream().open();
    stream().say('snapshot', 'e1.4', snapshot('e1.4', 'a'));
    stream().fail(0);
    stream().say('joined', 'e1.5', { participant: { id: 'b' } });
    expect(log).toEqual(['live', 'reset a', 'reconnecting', 'live', 'joined b']);
    expect(FakeEventSource.all).toHaveLength(1);
  });

  it('opens another stream from its position when the browser gives up', async () => {
    const { log } = watch();
    await vi.advanceTimersByTimeAsync(0);
    stream().say('snapshot', 'e1.4', snapshot('e1.4', 'a'));
    fetch.mockResolvedValue(answer(503, {}));
    stream().fail(2);
    await vi.advanceTimersByTimeAsync(2000);
    expect(FakeEventSource.all).toHaveLength(2);
    expect(stream().url.searchParams.get('after')).toBe('e1.4');
    stream().open();
    stream().say('snapshot', 'e2.1', snapshot('e2.1', 'z'));
    expect(log).toEqual(['live', 'reset a', 'reconnecting', 'live', 'reset z']);
  });

  for (const [what, status, body] of [
    ['502', 502, {}],
    ['404 of its own', 404, {}],
    ['403 of its own', 403, { error: 'denied' }],
    ['page in place of a stream', 200, {}],
  ] as const) {
    it(`comes back after a proxy's ${what}`, async () => {
      const { log } = watch();
      await vi.advanceTimersByTimeAsync(0);
      stream().say('snapshot', 'e1.4', snapshot('e1.4', 'a'));
      fetch.mockResolvedValue(answer(status, body));
      for (let i = 0; i < 20; i++) {
        stream().fail(2);
        await vi.advanceTimersByTimeAsync(6300); // the longest wait, with its spread
      }
      expect(FakeEventSource.all).toHaveLength(21);
      stream().open();
      expect(log).toEqual(['live', 'reset a', 'reconnecting', 'live']);
    });
  }

  it("comes back by the page's newest token where the one in its address has expired", async () => {
    let token = 'old';
    const { log } = watch({ token: () => token });
    await vi.advanceTimersByTimeAsync(0);
    stream().say('snapshot', 'e1.4', snapshot('e1.4', 'a'));
    fetch.mockResolvedValue(answer(401, { error: { code: 'unauthorized', message: 'expired' } }));
    token = 'new';
    stream().fail(2);
    await vi.advanceTimersByTimeAsync(1000);
    expect(stream().url.searchParams.get('access_token')).toBe('new');
    stream().fail(2); // and that one is refused, too
    await vi.advanceTimersByTimeAsync(1000);
    expect(log).toEqual(['live', 'reset a', 'reconnecting', 'closed', 'closed unauthorized']);
  });

  it('ends with the reason when it may not watch', async () => {
    const { log } = watch();
    await vi.advanceTimersByTimeAsync(0);
    fetch.mockResolvedValue(answer(403, { error: { code: 'forbidden', message: 'another room' } }));
    stream().fail(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log).toEqual(['closed', 'closed forbidden']);
    expect(FakeEventSource.all).toHaveLength(1);
  });

  it('takes to long-poll where nothing comes through', async () => {
    const { log } = watch();
    await vi.advanceTimersByTimeAsync(0);
    stream().open(); // but a proxy keeps the events
    fetch.mockResolvedValueOnce(
      answer(200, { room: 'r', position: 'e1.4', snapshot: snapshot('e1.4', 'a'), events: [] }),
    );
    await vi.advanceTimersByTimeAsync(6000);
    expect(log).toEqual(['live', 'reset a']);
    expect(stream().readyState).toBe(2);
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});

describe('presence by long-poll', () => {
  it('asks again from where it is', async () => {
    fetch
      .mockResolvedValueOnce(answer(200, { position: 'e1.4', snapshot: snapshot('e1.4', 'a'), events: [] }))
      .mockResolvedValueOnce(answer(200, { position: 'e1.4', events: [] })) // nothing for 25 s
      .mockResolvedValueOnce(
        answer(200, { position: 'e1.6', events: [{ type: 'joined', position: 'e1.6', participant: { id: 'b' } }] }),
      );
    const { log } = watch({ transport: 'poll', token: 'secret' });
    await vi.advanceTimersByTimeAsync(0);
    expect(log).toEqual(['live', 'reset a', 'joined b']);
    expect([0, 1, 2, 3].map((i) => asked(fetch, i).searchParams.get('after'))).toEqual([null, 'e1.4', 'e1.4', 'e1.6']);
    expect(asked(fetch, 0).searchParams.get('wait')).toBe('25s');
    expect(fetch.mock.calls[0]?.[1].headers.Authorization).toBe('Bearer secret');
    expect(asked(fetch, 0).searchParams.has('access_token')).toBe(false);
    expect(FakeEventSource.all).toHaveLength(0);
  });

  it('tries again with patience, and goes on without a gap', async () => {
    fetch
      .mockResolvedValueOnce(answer(200, { position: 'e1.4', snapshot: snapshot('e1.4', 'a') }))
      .mockRejectedValueOnce(new TypeError('network'))
      .mockResolvedValueOnce(answer(500, {}))
      .mockResolvedValueOnce(
        answer(200, { position: 'e1.5', events: [{ type: 'left', position: 'e1.5', participant: 'a' }] }),
      );
    const { log } = watch({ transport: 'poll' });
    await vi.advanceTimersByTimeAsync(2500);
    expect(log).toEqual(['live', 'reset a', 'reconnecting', 'live', 'left a']);
    expect(asked(fetch, 3).searchParams.get('after')).toBe('e1.4');
  });

  it('asks a proxy that answers in place of the server with patience', async () => {
    fetch.mockResolvedValue(answer(200, {}));
    watch({ transport: 'poll' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetch.mock.calls.length).toBeLessThan(20);
  });

  it('ends where it may not watch', async () => {
    fetch.mockResolvedValue(answer(401, { error: { code: 'unauthorized', message: 'no token' } }));
    const { log } = watch({ transport: 'poll' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log).toEqual(['closed', 'closed unauthorized']);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('stops when it is closed', async () => {
    const { presence, log } = watch({ transport: 'poll' });
    await vi.advanceTimersByTimeAsync(0);
    presence.close();
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({ signal: { aborted: true } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(log).toEqual(['closed', 'closed undefined']);
  });
});
