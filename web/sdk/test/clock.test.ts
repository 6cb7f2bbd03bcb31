import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { every } from '../src/clock';

class FakeWorker {
  static all: FakeWorker[] = [];
  onmessage: (() => void) | null = null;
  onerror: (() => void) | null = null;
  told: unknown[] = [];
  alive = true;
  constructor() {
    FakeWorker.all.push(this);
  }
  postMessage(message: unknown) {
    this.told.push(message);
  }
  terminate() {
    this.alive = false;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeWorker.all = [];
  vi.stubGlobal('Worker', FakeWorker);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('every', () => {
  it('ticks by a worker, which ends with it', () => {
    vi.stubGlobal('location', { origin: new URL(import.meta.url).origin });
    const tick = vi.fn();
    const end = every(1000, tick);
    expect(FakeWorker.all).toEqual([]);
    vi.advanceTimersByTime(3000); // by itself at first
    expect(tick).toHaveBeenCalledTimes(3);
    const worker = FakeWorker.all[0]!;
    expect(worker.told).toEqual([{ every: 1000 }]);
    vi.advanceTimersByTime(3000);
    expect(tick).toHaveBeenCalledTimes(3);
    worker.onmessage?.();
    expect(tick).toHaveBeenCalledTimes(4);
    end();
    expect(worker.alive).toBe(false);
  });

  it('ticks by itself where the worker does not start', () => {
    vi.stubGlobal('location', { origin: new URL(import.meta.url).origin });
    const tick = vi.fn();
    const end = every(1000, tick);
    vi.advanceTimersByTime(3000);
    FakeWorker.all[0]!.onerror?.();
    vi.advanceTimersByTime(3000);
    expect(tick).toHaveBeenCalledTimes(6);
    end();
    vi.advanceTimersByTime(3000);
    expect(tick).toHaveBeenCalledTimes(6);
  });

  it('starts no worker for what ends soon', () => {
    vi.stubGlobal('location', { origin: new URL(import.meta.url).origin });
    every(1000, vi.fn())();
    vi.advanceTimersByTime(10_000);
    expect(FakeWorker.all).toEqual([]);
  });

  it('ticks by itself on a page of another origin', () => {
    vi.stubGlobal('location', { origin: 'https://elsewhere.example' });
    const tick = vi.fn();
    const end = every(500, tick);
    vi.advanceTimersByTime(4000);
    expect(FakeWorker.all).toEqual([]);
    expect(tick).toHaveBeenCalledTimes(8);
    end();
  });
});
