import { afterEach, expect, it, vi } from 'vitest';
import { Gently, Playout } from '../src/playout';

afterEach(() => vi.useRealTimers());

it('leaves a good link to the browser', () => {
  const playout = new Playout();
  for (let t = 0; t < 60_000; t += 2000) expect(playout.next(t, 0.005, 300)).toBeNull();
});

it('waits for what is sent again, and longer where that is lost too', () => {
  expect(new Playout().next(0, 0.03, 20)).toBe(90);
  expect(new Playout().next(0, 0.1, 30)).toBe(170);
  expect(new Playout().next(0, 0.3, 2000)).toBe(400);
});

it('does not shorten the delay while packets are lost, and forgets it ten seconds after', () => {
  const playout = new Playout();
  expect(playout.next(0, 0.1, 100)).toBe(270);
  expect(playout.next(2000, 0.02, 20)).toBe(270);
  expect(playout.next(11_000, 0, 20)).toBe(270);
  expect(playout.next(12_000, 0, 20)).toBeNull();
});

it('lengthens the delay by steps, and shortens it at once', () => {
  vi.useFakeTimers();
  const set: (number | null)[] = [];
  const delay = new Gently((ms) => set.push(ms));
  delay.to(null);
  delay.to(220);
  vi.advanceTimersByTime(2000);
  expect(set).toEqual([null, 100, 150, 200, 220]);
  delay.to(120);
  delay.to(200);
  delay.to(null);
  vi.advanceTimersByTime(2000);
  expect(set.slice(5)).toEqual([120, 170, null]);
  delay.to(400);
  delay.stop();
  vi.advanceTimersByTime(2000);
  expect(set.slice(8)).toEqual([100]);
});
