import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tile } from '../src/protocol';
import { density, LINGER, type Shown, TileSender, tiles } from '../src/tiles';

const shown = (participant: string, width: number, height: number, more: Partial<Shown> = {}): Shown => ({
  participant,
  stream: 'camera',
  adaptive: true,
  pinned: false,
  width,
  height,
  visible: true,
  hiddenAt: 0,
  floating: null,
  ...more,
});
const screen = { density: 1, pageHidden: false };

describe('tiles', () => {
  it('puts screens first, then large ones; one tile a stream, its largest element', () => {
    const list = tiles(
      [shown('a', 160, 96), shown('b', 320, 192), shown('c', 64, 64, { stream: 'screen' }), shown('a', 640, 352)],
      screen,
      0,
    );
    expect(list).toEqual([
      { participant: 'c', stream: 'screen', width: 64, height: 64 },
      { participant: 'a', stream: 'camera', width: 640, height: 352 },
      { participant: 'b', stream: 'camera', width: 320, height: 192 },
    ]);
  });

  it('counts the pixels that are worth it, rounded up', () => {
    expect([0.75, 1, 1.5, 2, 2.1, 3].map(density)).toEqual([1, 1, 1, 1, 2, 2]);
    expect(tiles([shown('a', 100, 50)], { density: 2, pageHidden: false }, 0)[0]).toMatchObject({
      width: 208,
      height: 112,
    });
  });

  it('puts what is pinned first, even where another of its elements is larger', () => {
    const list = tiles(
      [
        shown('a', 640, 352),
        shown('s', 640, 352, { stream: 'screen' }),
        shown('b', 64, 64, { pinned: true }),
        shown('b', 320, 192),
        shown('c', 320, 192),
        shown('c', 64, 64, { pinned: true }),
      ],
      screen,
      0,
    );
    expect(list.map((t) => [t.participant, t.width, t.pinned])).toEqual([
      ['b', 320, true],
      ['c', 320, true],
      ['s', 640, undefined],
      ['a', 640, undefined],
    ]);
  });

  it('asks for the best, always, where it shall not adapt', () => {
    const fixed = shown('a', 16, 16, { adaptive: false, visible: false });
    expect(tiles([fixed], { density: 1, pageHidden: true }, 9999)[0]).toMatchObject({ width: 4096, height: 4096 });
  });

  it('keeps a hidden element for a moment', () => {
    const hidden = shown('a', 100, 100, { visible: false, hiddenAt: 1000 });
    expect(tiles([hidden], screen, 1000 + LINGER - 1)).toHaveLength(1);
    expect(tiles([hidden], screen, 1000 + LINGER)).toHaveLength(0);
  });

  it('asks for sound alone while the page is hidden, but for floating pictures', () => {
    const list = tiles(
      [shown('a', 100, 100), shown('b', 500, 500, { floating: { width: 100, height: 90 }, visible: false })],
      { density: 1, pageHidden: true },
      0,
    );
    expect(list).toEqual([
      { participant: 'b', stream: 'camera', width: 112, height: 96 },
      { participant: 'a', stream: 'camera', width: 0, height: 0 },
    ]);
  });

  it('keeps to the limit', () => {
    expect(
      tiles(
        Array.from({ length: 9 }, (_, i) => shown(`p${i}`, 100, 100)),
        screen,
        0,
        4,
      ).map((t) => t.participant),
    ).toEqual(['p0', 'p1', 'p2', 'p3']);
  });
});

describe('TileSender', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const setUp = () => {
    const state = { list: [] as Tile[], sent: [] as Tile[][] };
    const sender = new TileSender(
      () => state.list,
      (list) => state.sent.push(list),
    );
    const set = (...ids: string[]) => {
      state.list = ids.map((participant) => ({ participant, stream: 'camera', width: 16, height: 16 }));
      sender.schedule();
    };
    return { state, sender, set };
  };

  it('sends the first change at once and together, later ones after a while', async () => {
    const { state, set } = setUp();
    set('a');
    set('a', 'b');
    await vi.advanceTimersByTimeAsync(0);
    expect(state.sent.map((l) => l.length)).toEqual([2]);
    set('a', 'b', 'c');
    await vi.advanceTimersByTimeAsync(50);
    set('a');
    expect(state.sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(50);
    expect(state.sent.map((l) => l.length)).toEqual([2, 1]);
  });

  it('does not send the same twice, but after a reset', async () => {
    const { state, sender, set } = setUp();
    set('a');
    await vi.advanceTimersByTimeAsync(200);
    set('a');
    await vi.advanceTimersByTimeAsync(200);
    expect(state.sent).toHaveLength(1);
    sender.reset();
    await vi.advanceTimersByTimeAsync(200);
    expect(state.sent).toHaveLength(2);
  });

  it('does not let a late wish delay an early one', async () => {
    const { state, sender, set } = setUp();
    set('a');
    sender.schedule(250);
    await vi.advanceTimersByTimeAsync(0);
    expect(state.sent).toHaveLength(1);
  });

  it('sends nothing after stop', async () => {
    const { state, sender, set } = setUp();
    set('a');
    sender.stop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(state.sent).toEqual([]);
  });
});
