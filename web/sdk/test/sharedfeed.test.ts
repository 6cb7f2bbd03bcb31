import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FeedReader } from '../src/feedreader';
import type { RoomEvent, Snapshot } from '../src/protocol';
import { shared } from '../src/sharedfeed';
import { shown, untilHidden } from '../src/visible';

/** Locks of one origin: who waits gets it in turn. */
class FakeLocks {
  #last: Promise<unknown> = Promise.resolve();
  request(_: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>): Promise<void> {
    const before = this.#last;
    const mine = (async () => {
      await Promise.race([
        before,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))),
      ]);
      await work();
    })();
    this.#last = Promise.allSettled([before, mine]);
    return mine;
  }
}

class FakeChannel {
  static all = new Set<FakeChannel>();
  static deaf = false;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor(readonly name: string) {
    FakeChannel.all.add(this);
  }
  postMessage(data: unknown): void {
    if (FakeChannel.deaf) return;
    for (const other of FakeChannel.all) {
      if (other === this || other.name !== this.name) continue;
      void Promise.resolve().then(() => other.onmessage?.({ data: structuredClone(data) }));
    }
  }
  close(): void {
    FakeChannel.all.delete(this);
  }
}

const snapshot = (position: string): Snapshot => ({ room: 'r', position, participants: [] });
const joined = (position: string) => ({ type: 'joined', position, participant: { id: 'x' } }) as RoomEvent;

/** A page that watches; `feeds` are those that are open, by its name. */
function page(name: string, feeds: Map<string, FeedReader>) {
  const log: string[] = [];
  let state: Snapshot | undefined;
  const reader: FeedReader = {
    url: 'http://x/v1/rooms/r/events',
    token: undefined,
    position: () => state?.position,
    state: () => state,
    snapshot: (s) => {
      state = s;
      log.push(s.position);
    },
    event: (event) => {
      state = snapshot(event.position);
      log.push(`+${event.position}`);
    },
    live: (live) => log.push(live ? 'live' : 'lost'),
    fatal: () => stop.abort(),
  };
  const stop = new AbortController();
  const feed = (telling: FeedReader, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      feeds.set(name, telling);
      const end = () => {
        feeds.delete(name);
        resolve();
      };
      signal.addEventListener('abort', end);
    });
  const done = shared(reader, stop.signal, feed);
  return { log, stop, done, reader };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  FakeChannel.all.clear();
  FakeChannel.deaf = false;
  vi.stubGlobal('BroadcastChannel', FakeChannel);
  vi.stubGlobal('navigator', { locks: new FakeLocks() });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a feed of several pages', () => {
  it('is one, and tells all the same', async () => {
    const feeds = new Map<string, FeedReader>();
    const [a, b] = [page('a', feeds), page('b', feeds)];
    await settle();
    expect([...feeds.keys()]).toEqual(['a']);
    feeds.get('a')?.live(true);
    feeds.get('a')?.snapshot(snapshot('e1.1'));
    feeds.get('a')?.event(joined('e1.2'));
    await settle();
    expect(a.log).toEqual(['live', 'e1.1', '+e1.2']);
    expect(b.log.filter((line) => line.includes('e1'))).toEqual(['e1.1', '+e1.2']);
    expect(b.log.at(-1)).toBe('+e1.2');
    const c = page('c', feeds); // later
    await settle();
    expect(c.log).toEqual(['e1.2', 'live']);
    feeds.get('a')?.live(false);
    await settle();
    expect([b.log.at(-1), c.log.at(-1)]).toEqual(['lost', 'lost']);
  });

  it('goes over to another page from where it was, when the one that has it ends', async () => {
    const feeds = new Map<string, FeedReader>();
    const [a, b, c] = [page('a', feeds), page('b', feeds), page('c', feeds)];
    await settle();
    feeds.get('a')?.snapshot(snapshot('e1.1'));
    await settle();
    a.stop.abort();
    await a.done;
    await settle();
    expect([...feeds.keys()]).toEqual(['b']);
    expect(feeds.get('b')?.position()).toBe('e1.1');
    feeds.get('b')?.event(joined('e1.2'));
    await settle();
    expect([b.log.at(-1), c.log.at(-1)]).toEqual(['+e1.2', '+e1.2']);
  });

  it('leaves out what came before the snapshot of a page that comes back', async () => {
    const feeds = new Map<string, FeedReader>();
    page('a', feeds);
    await settle();
    feeds.get('a')?.snapshot(snapshot('e1.7'));
    const b = page('b', feeds);
    b.reader.snapshot(snapshot('e1.3')); // what it knew before
    b.log.length = 0;
    feeds.get('a')?.event(joined('e1.8'));
    await settle();
    expect(b.log[0]).toMatch(/^e1\.[78]$/); // a snapshot, not the event behind a gap
  });

  it("is each page's own where nobody answers, at first or any more, and where there are no locks", async () => {
    const feeds = new Map<string, FeedReader>();
    page('a', feeds);
    await settle();
    const b = page('b', feeds);
    await vi.advanceTimersByTimeAsync(20_000);
    expect([...feeds.keys()]).toEqual(['a']); // it beats
    FakeChannel.deaf = true;
    page('c', feeds);
    await vi.advanceTimersByTimeAsync(3000);
    expect([...feeds.keys()]).toEqual(['a', 'c']);
    await vi.advanceTimersByTimeAsync(12_000);
    expect([...feeds.keys()].sort()).toEqual(['a', 'b', 'c']);
    b.stop.abort();
    await b.done;
    vi.stubGlobal('navigator', {});
    page('d', feeds);
    vi.stubGlobal('navigator', { locks: { request: () => Promise.reject(new DOMException('', 'SecurityError')) } });
    page('e', feeds); // a frame that is locked up
    await settle();
    expect([...feeds.keys()].sort()).toEqual(['a', 'c', 'd', 'e']);
  });
});

describe('a page that is hidden', () => {
  const look = (visibilityState: string, document: EventTarget) => {
    Object.assign(document, { visibilityState });
    document.dispatchEvent(new Event('visibilitychange'));
  };

  it('starts nothing until it is shown, and stops after a moment', async () => {
    const document = new EventTarget();
    vi.stubGlobal('document', document);
    look('hidden', document);
    const whole = new AbortController();
    let seen = false;
    void shown(whole.signal).then(() => {
      seen = true;
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen).toBe(false);
    look('visible', document);
    await settle();
    expect(seen).toBe(true);
    const turn = untilHidden(whole.signal);
    look('hidden', document);
    await vi.advanceTimersByTimeAsync(1000);
    look('visible', document); // a glance at another tab
    await vi.advanceTimersByTimeAsync(5000);
    expect(turn.aborted).toBe(false);
    look('hidden', document);
    await vi.advanceTimersByTimeAsync(2000);
    expect(turn.aborted).toBe(true);
    const next = untilHidden(whole.signal);
    whole.abort();
    expect(next.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is none where there is no document', async () => {
    const { signal } = new AbortController();
    await shown(signal);
    expect(untilHidden(signal)).toBe(signal);
  });
});
