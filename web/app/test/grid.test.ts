import { describe, expect, test } from 'vitest';
import {
  capacity,
  focusRects,
  gridOptions,
  gridRects,
  pairRects,
  type Rect,
  type Size,
  stripCapacity,
} from '../src/layout/grid';

const phone: Size = { width: 378, height: 732 };
const phoneOnItsSide: Size = { width: 760, height: 330 };
const desk: Size = { width: 1416, height: 778 };
const square: Size = { width: 700, height: 700 };
const stages = { phone, phoneOnItsSide, desk, square };

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function inside(r: Rect, stage: Size): boolean {
  return r.x >= 0 && r.y >= 0 && r.x + r.width <= stage.width + 1 && r.y + r.height <= stage.height + 1;
}

describe.each(Object.entries(stages))('the grid on a stage: %s', (_name, stage) => {
  test.each(Array.from({ length: 30 }, (_, i) => i + 1))('%i tiles are inside, apart and equal', (n) => {
    const rects = gridRects(n, stage);
    expect(rects).toHaveLength(n);
    for (const r of rects) {
      expect(inside(r, stage)).toBe(true);
      expect([r.width, r.height]).toEqual([rects[0]?.width, rects[0]?.height]);
      expect(r.width).toBeGreaterThan(0);
    }
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) expect(overlap(rects[i] as Rect, rects[j] as Rect)).toBe(false);
    }
  });

  test('tiles keep to the shapes allowed', () => {
    const o = gridOptions(stage);
    for (let n = 1; n <= 25; n++) {
      const { width, height } = gridRects(n, stage)[0] as Rect;
      expect(width / height).toBeGreaterThan(o.minAspect - 0.02);
      expect(width / height).toBeLessThan(o.maxAspect + 0.02);
    }
  });

  test('what fits is big enough for a face', () => {
    const n = capacity(stage);
    expect(n).toBeGreaterThanOrEqual(2);
    expect(n).toBeLessThanOrEqual(25);
    expect(gridRects(n, stage)[0]?.width).toBeGreaterThanOrEqual(90);
  });

  test.each([0, 1, 2, 5])('a focused picture is the largest, %i others beside it', (asked) => {
    const others = Math.min(asked, stripCapacity(stage, 1.5));
    const { main, strip } = focusRects(others, stage, 1.5);
    expect(strip).toHaveLength(others);
    expect(inside(main, stage)).toBe(true);
    for (const r of strip) {
      expect(inside(r, stage)).toBe(true);
      expect(overlap(r, main)).toBe(false);
      expect(main.width * main.height).toBeGreaterThan(r.width * r.height);
    }
  });

  test('of two, oneself is a small picture inside the other', () => {
    const { other, self } = pairRects(stage);
    expect(inside(other, stage)).toBe(true);
    expect(self.x).toBeGreaterThan(other.x);
    expect(self.y).toBeGreaterThan(other.y);
    expect(self.x + self.width).toBeLessThanOrEqual(other.x + other.width);
    expect(self.y + self.height).toBeLessThanOrEqual(other.y + other.height);
  });
});

test('a wide stage takes two beside each other, a tall one below each other', () => {
  const [a, b] = gridRects(2, desk) as [Rect, Rect];
  expect(a.y).toBe(b.y);
  const [c, d] = gridRects(2, phone) as [Rect, Rect];
  expect(c.x).toBe(d.x);
});

test('a short last row is centred', () => {
  const rects = gridRects(5, desk);
  const left = (rects[3] as Rect).x;
  const right = desk.width - ((rects[4] as Rect).x + (rects[4] as Rect).width);
  expect(Math.abs(left - right)).toBeLessThanOrEqual(2);
});

test('nothing is laid out for nobody', () => {
  expect(gridRects(0, desk)).toEqual([]);
});

test('25 fit on a desk', () => {
  expect(capacity(desk)).toBe(25);
});
