import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/backoff';
import { wanted } from '../src/codecs';
import { loudness } from '../src/devices';
import { Emitter } from '../src/emitter';
import { Participant } from '../src/participant';
import { seen } from '../src/position';
import { assignMids, sections } from '../src/sdp';
import { expectsMedia, slotsFor, streamsOf } from '../src/slothint';
import { slotStep } from '../src/steps';
import { roomURL, socketURL } from '../src/url';

describe('positions', () => {
  it('compares numbers within an epoch', () => {
    expect(seen('e1.9', 'e1.10')).toBe(true);
    expect(seen('e1.10', 'e1.10')).toBe(true);
    expect(seen('e1.11', 'e1.10')).toBe(false);
    expect(seen('e2.1', 'e1.10')).toBe(false);
    expect(seen('a.b.3', 'a.b.4')).toBe(true);
    expect(seen('e1.1', undefined)).toBe(false);
  });
});

describe('slot steps', () => {
  it('takes the next step, within the limit', () => {
    expect([0, 1, 2, 4, 5, 9, 10, 25, 26, 1000].map((n) => slotStep(n))).toEqual([1, 1, 4, 4, 9, 9, 16, 25, 25, 25]);
    expect(slotStep(25, 9)).toBe(9);
    expect(slotStep(3, 0)).toBe(1);
  });

  it('has slots for a small room whole, for a large one by what is shown', () => {
    expect([2, 9, 30, 100].map((streams) => slotsFor(streams, 0))).toEqual([2, 9, 9, 9]);
    expect([4, 6, 16, 25].map((shown) => slotsFor(100, shown))).toEqual([9, 9, 19, 28]);
    expect(slotStep(slotsFor(100, 25))).toBe(25);
    expect(slotsFor(12, 25)).toBe(12);
  });

  it('knows when packets must be coming', () => {
    const ann = new Participant({ id: 'a', sources: [{ id: 'a.microphone', kind: 'microphone', muted: false }] });
    const bob = new Participant({ id: 'b', sources: [{ id: 'b.microphone', kind: 'microphone', muted: true }] });
    const people = new Map([ann, bob].map((p) => [p.id, p]));
    const slot = (participant: string | null, hasAudio = true) => ({
      participant,
      stream: 'camera' as const,
      hasAudio,
    });
    expect(expectsMedia(true, people, [])).toBe(true);
    expect(expectsMedia(false, people, [slot('a')])).toBe(true);
    expect(expectsMedia(false, people, [slot('b'), slot('a', false), slot(null), slot('gone')])).toBe(false);
  });

  it('counts the streams of others', () => {
    const of = (id: string, ...kinds: ('camera' | 'microphone' | 'screen')[]) =>
      new Participant({ id, sources: kinds.map((kind) => ({ id: `${id}.${kind}`, kind, muted: false })) });
    expect(
      streamsOf([of('me', 'camera'), of('a', 'camera', 'microphone'), of('b', 'microphone', 'screen'), of('c')], 'me'),
    ).toBe(3);
  });
});

describe('backoff', () => {
  it('spreads each delay by a quarter', () => {
    const low = new Backoff(() => 0, [1000]);
    const high = new Backoff(() => 0.999999, [1000]);
    expect(low.next(0)).toBe(750);
    expect(high.next(0)).toBe(1250);
  });
});

describe('codecs', () => {
  it('keeps one of each that is forwarded', () => {
    const list = [
      { mimeType: 'video/VP8' },
      { mimeType: 'video/rtx' },
      { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=0' },
      { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=2' },
      { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' },
      { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f' },
      { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f' },
      { mimeType: 'video/AV1', sdpFmtpLine: 'level-idx=5;profile=0;tier=0' },
      { mimeType: 'video/AV1', sdpFmtpLine: 'level-idx=5;profile=1;tier=0' },
      { mimeType: 'video/red' },
      { mimeType: 'audio/opus' },
      { mimeType: 'audio/PCMU' },
    ];
    expect(list.map(wanted)).toEqual([true, true, true, false, true, false, false, true, false, false, true, false]);
  });
});

describe('media sections', () => {
  const sdp =
    'v=0\r\nm=audio 9 x\r\na=mid:0\r\nm=video 9 x\r\na=mid:1\r\nm=application 9 x\r\na=mid:d\r\nm=audio 9 x\r\na=mid:3\r\nm=video 9 x\r\na=mid:4\r\n';

  it('reads kinds and mids', () => {
    expect(sections(sdp)).toEqual([
      { kind: 'audio', mid: '0' },
      { kind: 'video', mid: '1' },
      { kind: 'application', mid: 'd' },
      { kind: 'audio', mid: '3' },
      { kind: 'video', mid: '4' },
    ]);
  });

  it('tells new transceivers their mids, in order of their kind', () => {
    expect(
      assignMids(sdp, [
        { mid: '0', kind: 'audio' },
        { mid: '1', kind: 'video' },
        { mid: null, kind: 'audio' },
        { mid: null, kind: 'video' },
      ]),
    ).toEqual(['0', '1', '3', '4']);
    expect(
      assignMids(sdp, [
        { mid: null, kind: 'video' },
        { mid: null, kind: 'audio' },
      ]),
    ).toEqual(['1', '0']);
    expect(() => assignMids('v=0\r\n', [{ mid: null, kind: 'video' }])).toThrow(/video/);
  });
});

describe('addresses', () => {
  it('keeps the path in front', () => {
    expect(socketURL('https://x.example/parley/', 'a')).toBe('wss://x.example/parley/v1/rooms/a/ws');
    expect(roomURL('http://localhost:8080', 'r', '/events')).toBe('http://localhost:8080/v1/rooms/r/events');
  });

  it('refuses names that an address cannot carry', () => {
    for (const room of ['.', '..', '', 'a/b', 'x'.repeat(65)])
      expect(() => roomURL('http://localhost:8080', room), room).toThrow(expect.objectContaining({ code: 'bad_room' }));
    for (const room of ['...', 'a..b', '.a'])
      expect(roomURL('http://localhost:8080', room)).toBe(`http://localhost:8080/v1/rooms/${room}`);
  });
});

describe('loudness', () => {
  it('is logarithmic', () => {
    expect(loudness(new Float32Array(64))).toBe(0);
    expect(loudness(new Float32Array(64).fill(1))).toBe(1);
    expect(loudness(new Float32Array(64).fill(0.0316))).toBeCloseTo(0.5, 2); // -30 dBFS
  });
});

describe('emitter', () => {
  it('calls listeners until they are taken off, once-listeners once', () => {
    const e = new Emitter<{ n: number }>();
    const got: string[] = [];
    const off = e.on('n', (n) => got.push(`on ${n}`));
    e.once('n', (n) => got.push(`once ${n}`));
    e.emit('n', 1);
    e.emit('n', 2);
    off();
    e.emit('n', 3);
    expect(got).toEqual(['on 1', 'once 1', 'on 2']);
  });
});
