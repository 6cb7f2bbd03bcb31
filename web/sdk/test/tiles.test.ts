import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tile } from '../src/protocol';
import { LINGER, type Shown, TileSender, tiles } from '../src/tiles';

const shown = (participant: string, width: number, height: number, more: Partial<Shown> = {}): Shown => ({
  participant,
  stream: 'camera',
  width,
  height,
  visible: true,
  hiddenAt: 0,
  floating: false,
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

  it('counts device pixels, rounded up, at most two a CSS pixel', () => {
    expect(tiles([shown('a', 100, 50)], { density: 2, pageHidden: false }, 0)[0]).toMatchObject({
      width: 208,
      height: 112,
    });
    expect(tiles([shown('a', 100, 50)], { density: 3, pageHidden: false }, 0)[0]).toMatchObject({
      width: 208,
      height: 112,
    });
  });

  it('keeps a hidden element for a moment', () => {
    const hidden = shown('a', 100, 100, { visible: false, hiddenAt: 1000 });
    expect(tiles([hidden], screen, 1000 + LINGER - 1)).toHaveLength(1);
    expect(tiles([hidden], screen, 1000 + LINGER)).toHaveLength(0);
  });

  it('asks for sound alone while the page is hidden, but for floating pictures', () => {
    const list = tiles(
      [shown('a', 100, 100), shown('b', 100, 100, { floating: true })],
      { density: 1, pageHidden: true },
      0,
    );
    expect(list).toEqual([
      { participant: 'b', stream: 'camera', width: 112, height: 112 },
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
