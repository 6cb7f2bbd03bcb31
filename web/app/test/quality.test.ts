import type { RoomStats, StreamStats } from 'parley-sdk';
import { describe, expect, test } from 'vitest';
import { connectionRows, headline, streamRows, streamTitle } from '../src/text/figures';
import { percent, rate } from '../src/text/format';
import { explain, levelWord, pausedLine, type QualityInput } from '../src/text/quality';

const video: StreamStats = {
  participant: 'a',
  kind: 'camera',
  direction: 'in',
  width: 640,
  height: 360,
  fps: 29.7,
  bitrate: 480_000,
  reason: 'best',
  why: 'This is the best that is sent.',
};
const input = (over: Partial<QualityInput> = {}): QualityInput => ({
  name: 'Ann',
  me: false,
  stream: 'camera',
  level: 5,
  mine: 5,
  on: true,
  held: undefined,
  video,
  ...over,
});

describe('explain', () => {
  test('a good picture', () => {
    expect(explain(input())).toEqual({
      title: 'Ann’s connection: excellent',
      seen: 'You see 640 × 360 at 30 frames a second, 480 kbit/s.',
      why: 'This is the best that is sent.',
      helps: 'Nothing needs to be done.',
    });
  });

  test('our own line is short', () => {
    const short = { ...video, reason: 'bandwidth', why: 'Your connection takes no more at the moment.' } as const;
    expect(explain(input({ video: short })).helps).toMatch(/Wi-Fi or use a cable/);
    expect(explain(input({ mine: 2 })).helps).toMatch(/Wi-Fi or use a cable/);
  });

  test('a paused video says that the sound goes on, and that pinning helps', () => {
    const e = explain(input({ held: 'bandwidth', video: { ...video, bitrate: 0 } }));
    expect(e.seen).toMatch(/paused.*sound goes on/);
    expect(e.helps).toMatch(/Pin/);
    expect(pausedLine('bandwidth')).toBe('Video paused: slow connection');
    expect(pausedLine('codec')).not.toMatch(/slow/);
  });

  test('their line is short', () => {
    const e = explain(input({ level: 2, video: { ...video, why: undefined } }));
    expect(e.title).toBe('Ann’s connection: poor');
    expect(e.why).toMatch(/^Their connection/);
    expect(e.helps).toMatch(/their side/);
  });

  test('a small tile', () => {
    expect(explain(input({ video: { ...video, reason: 'size' } })).helps).toMatch(/pin/);
  });

  test('nothing there', () => {
    expect(explain(input({ on: false })).seen).toMatch(/only sound/);
    expect(explain(input({ video: undefined })).seen).toBe('Nothing has come yet.');
  });

  test('ourselves', () => {
    const own: StreamStats = { ...video, direction: 'out', width: 1280, height: 720, reason: 'cpu', why: 'Slow.' };
    const e = explain(input({ me: true, video: own }));
    expect(e).toMatchObject({ title: 'Your connection: excellent', why: 'Slow.' });
    expect(e.seen).toMatch(/^You send up to 1280 × 720/);
    expect(e.helps).toMatch(/^Close other programs/);
    expect(explain(input({ me: true, level: 2 })).helps).toMatch(/Wi-Fi/);
    expect(explain(input({ me: true, on: false })).seen).toBe('Your camera is off.');
  });

  test('words for every level', () => {
    expect([undefined, 1, 2, 3, 4, 5].map(levelWord)).toEqual([
      'not known yet',
      'bad',
      'poor',
      'fair',
      'good',
      'excellent',
    ]);
  });
});

describe('figures', () => {
  test('rates and shares', () => {
    expect([0, 400, 40_000, 999_400, 999_600, 2_440_000].map(rate)).toEqual([
      '0 kbit/s',
      '0 kbit/s',
      '40 kbit/s',
      '999 kbit/s',
      '1.0 Mbit/s',
      '2.4 Mbit/s',
    ]);
    expect([0, 0.004, 0.0994, 0.12, 1].map(percent)).toEqual(['0 %', '0.4 %', '9.9 %', '12 %', '100 %']);
  });

  test('a stream on one line', () => {
    expect(headline(video)).toBe('640 × 360 · 30 fps · 480 kbit/s');
    expect(headline({ ...video, loss: 0.08 })).toMatch(/8.0 % lost$/);
    expect(headline({ ...video, bitrate: 0 })).toBe('nothing flows');
    expect(headline({ ...video, bitrate: 0, active: false })).toBe('not sent');
  });

  test('a stream in full leaves out what is not known', () => {
    expect(streamRows({ participant: 'a', kind: 'microphone', direction: 'in', bitrate: 0 })).toEqual([
      ['Bit rate', '0 kbit/s'],
    ]);
    const rows = new Map(streamRows({ ...video, rid: 'h', spatial: 1, temporal: 2, freezes: 1, frozenSeconds: 0.8 }));
    expect(rows.get('Layer')).toBe('h, size 2, rate 3');
    expect(rows.get('Stood still')).toBe('1 time, 0.8 s in all');
    expect(rows.get('Why')).toBe(video.why);
    expect(new Map(streamRows({ ...video, reason: 'size' })).has('Why')).toBe(false);
  });

  test('names the sizes that we send', () => {
    expect(streamTitle({ ...video, direction: 'out', rid: 'f' })).toBe('Camera, large');
    expect(streamTitle({ ...video, rid: 'f' })).toBe('Camera');
  });

  test('the connection', () => {
    const stats: RoomStats = { at: 0, state: 'failed', path: {}, received: 0, sent: 0, streams: [] };
    expect(connectionRows(stats)).toEqual([
      ['Sound and picture', 'no way through, still trying'],
      ['You receive', '0 kbit/s'],
      ['You send', '0 kbit/s'],
    ]);
    const told = new Map(
      connectionRows({
        ...stats,
        path: { transport: 'relay', uplink: 900_000, rtt: 12 },
        downlink: { estimate: 2_400_000, state: 'probe', loss: 0, queue: 3 },
      }),
    );
    expect(told.get('Way')).toBe('by a relay');
    expect(told.get('Your line takes')).toBe('2.4 Mbit/s, trying for more');
    expect(told.get('Lost')).toBe('0 %');
    expect(told.get('Waiting in the network')).toBe('3 ms');
  });
});
