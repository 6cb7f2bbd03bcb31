import { describe, expect, it } from 'vitest';
import { Held } from '../src/held';

const carries = (...participants: (string | null)[]) =>
  participants.map((participant) => ({ participant, stream: participant ? ('camera' as const) : null }));
const held = (slot: number, reason = 'bandwidth' as const) => ({ slot, state: 'paused' as const, reason });

describe('Held', () => {
  it('tells what is held back and what flows again', () => {
    const h = new Held();
    const slots = carries('a', 'b');
    expect(h.take([held(1)], slots)).toEqual([{ participant: 'b', stream: 'camera', reason: 'bandwidth' }]);
    expect(h.take([held(1)], slots)).toEqual([]);
    expect(h.reason('b', 'camera')).toBe('bandwidth');
    expect(h.reason('b', 'screen')).toBeUndefined();
    expect(h.take([held(0)], slots).map((c) => [c.participant, c.reason])).toEqual([
      ['b', undefined],
      ['a', 'bandwidth'],
    ]);
    expect(h.take([], slots)).toEqual([{ participant: 'a', stream: 'camera', reason: undefined }]);
  });

  it('forgets what was said of a stream that its slot carries no more', () => {
    const h = new Held();
    h.take([held(0)], carries('a'));
    expect(h.remap(carries('b'))).toEqual([{ participant: 'a', stream: 'camera', reason: undefined }]);
    expect(h.remap(carries('a'))).toEqual([]);
    expect(h.reason('a', 'camera')).toBeUndefined();
  });

  it('waits for a slot map that comes after', () => {
    const h = new Held();
    expect(h.take([held(0), held(7)], carries(null))).toEqual([]);
    expect(h.remap(carries('a'))).toEqual([{ participant: 'a', stream: 'camera', reason: 'bandwidth' }]);
  });
});
