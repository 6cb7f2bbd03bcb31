import { describe, expect, it } from 'vitest';
import { quality, StatsReader, type StreamStats } from '../src/stats';

const at = (timestamp: number, bytes: number, packets: number, lost: number, frozen = 0) =>
  [
    ['T', { id: 'T', type: 'transport', timestamp, selectedCandidatePairId: 'P' }],
    ['P', { id: 'P', type: 'candidate-pair', timestamp, currentRoundTripTime: 0.05 }],
    ['C', { id: 'C', type: 'codec', timestamp, mimeType: 'video/VP8' }],
    [
      'I',
      {
        id: 'I',
        type: 'inbound-rtp',
        kind: 'video',
        timestamp,
        codecId: 'C',
        trackIdentifier: 't1',
        bytesReceived: bytes,
        packetsReceived: packets,
        packetsLost: lost,
        frameWidth: 640,
        frameHeight: 360,
        framesPerSecond: 30,
        jitter: 0.004,
        totalFreezesDuration: frozen,
      },
    ],
    ['J', { id: 'J', type: 'inbound-rtp', kind: 'video', timestamp, trackIdentifier: 'nobody', bytesReceived: 1 }],
    [
      'O',
      {
        id: 'O',
        type: 'outbound-rtp',
        kind: 'video',
        timestamp,
        mid: '1',
        rid: 'f',
        bytesSent: bytes * 2,
        packetsSent: packets,
        remoteId: 'R',
      },
    ],
    ['R', { id: 'R', type: 'remote-inbound-rtp', timestamp, fractionLost: 0.25, roundTripTime: 0.1 }],
    ['U', { id: 'U', type: 'outbound-rtp', kind: 'audio', timestamp, mid: '9', bytesSent: 5 }],
  ] as [string, unknown][];

const owner = (track: string) => (track === 't1' ? ({ participant: 'a', kind: 'camera' } as const) : undefined);
const sent = (mid: string) => (mid === '1' ? ('camera' as const) : undefined);

describe('StatsReader', () => {
  it('turns counters into rates', () => {
    const reader = new StatsReader();
    reader.read(at(1000, 1000, 10, 0), 'me', owner, sent);
    const [incoming, outgoing, ...rest] = reader.read(at(3000, 251_000, 100, 10, 0.5), 'me', owner, sent);
    expect(incoming).toMatchObject({
      participant: 'a',
      kind: 'camera',
      direction: 'in',
      codec: 'VP8',
      width: 640,
      fps: 30,
      bitrate: 1_000_000,
      loss: 0.1,
      jitter: 4,
      rtt: 50,
      frozen: 0.25,
    });
    expect(outgoing).toMatchObject({
      participant: 'me',
      kind: 'camera',
      direction: 'out',
      rid: 'f',
      bitrate: 2_000_000,
      loss: 0.25,
      rtt: 100,
    });
    expect(rest).toEqual([]);
  });

  it('says nothing about rates at the first look, or after a counter started anew', () => {
    const reader = new StatsReader();
    expect(reader.read(at(1000, 1000, 10, 0), 'me', owner, sent)[0]).toMatchObject({ bitrate: 0, loss: undefined });
    expect(reader.read(at(2000, 10, 1, 0), 'me', owner, sent)[0]).toMatchObject({ bitrate: 0 });
  });
});

describe('quality', () => {
  const stream = (more: Partial<StreamStats>): StreamStats => ({
    participant: 'a',
    kind: 'camera',
    direction: 'in',
    bitrate: 1000,
    ...more,
  });
  it('is that of the worst figure', () => {
    expect(quality([])).toBeUndefined();
    expect(quality([stream({ bitrate: 0 })])).toBeUndefined();
    expect(quality([stream({}), stream({ loss: 0, rtt: 20 })])).toBe(5);
    expect(quality([stream({}), stream({ loss: 0.05 })])).toBe(3);
    expect(quality([stream({ rtt: 450 })])).toBe(3);
    expect(quality([stream({ frozen: 0.6 })])).toBe(1);
  });
});
