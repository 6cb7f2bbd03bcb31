import { beforeAll, describe, expect, it } from 'vitest';
import type { SlotLines } from '../src/peer';
import { Slots } from '../src/slots';

beforeAll(() => {
  (globalThis as Record<string, unknown>).MediaStream = class {
    constructor(readonly tracks: unknown[]) {}
  };
});

const lines = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    audio: { receiver: { track: `a${i}` } },
    video: { receiver: { track: `v${i}` } },
  })) as unknown as SlotLines[];
const map = (slot: number, participant: string | null, video = true, audio = true) => ({
  slot,
  participant,
  stream: participant ? ('camera' as const) : null,
  video: participant && video ? `${participant}.camera` : null,
  audio: participant && audio ? `${participant}.microphone` : null,
});

describe('Slots', () => {
  it('tells which streams changed, and keeps the stream objects', () => {
    const slots = new Slots();
    slots.lines(lines(2), true);
    const stream = slots.slots[0]!.video;
    expect(slots.apply([map(0, 'a'), map(1, 'b')]).map((c) => c.participant)).toEqual(['a', 'b']);
    expect(slots.apply([map(0, 'a'), map(1, 'b')])).toEqual([]);
    expect(
      slots
        .apply([map(0, 'a', false), map(1, 'c')])
        .map((c) => c.participant)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(slots.find('a', 'camera')).toMatchObject({ hasVideo: false, hasAudio: true });
    expect(slots.find('b', 'camera')).toBeUndefined();
    expect(slots.slots[0]!.video).toBe(stream);
    expect(slots.apply([map(1, 'c')])).toEqual([{ participant: 'a', stream: 'camera' }]);
  });

  it('grows without touching what is there, and starts anew after a rejoin', () => {
    const slots = new Slots();
    slots.lines(lines(1), true);
    slots.apply([map(0, 'a')]);
    const first = slots.slots[0];
    slots.lines(lines(4), false);
    expect(slots.slots).toHaveLength(4);
    expect(slots.slots[0]).toBe(first);
    slots.lines(lines(1), true);
    expect(slots.slots).toHaveLength(1);
    expect(slots.find('a', 'camera')).toBeUndefined();
  });

  it('ignores slots that it does not have', () => {
    const slots = new Slots();
    slots.lines(lines(1), true);
    expect(slots.apply([map(7, 'x')])).toEqual([]);
  });
});
