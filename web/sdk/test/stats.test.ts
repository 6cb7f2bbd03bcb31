import { describe, expect, it } from 'vitest';
import { quality, score } from '../src/quality';
import { StatsReader, type StreamStats } from '../src/stats';

const at = (timestamp: number, bytes: number, packets: number, lost: number, frozen = 0) =>
  [
    ['T', { id: 'T', type: 'transport', timestamp, selectedCandidatePairId: 'P' }],
    [
      'P',
      {
        id: 'P',
        type: 'candidate-pair',
        timestamp,
        currentRoundTripTime: 0.05,
        availableOutgoingBitrate: 900_000,
        localCandidateId: 'L',
      },
    ],
    ['L', { id: 'L', type: 'local-candidate', timestamp, candidateType: 'host', protocol: 'udp' }],
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
        freezeCount: 3,
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
        active: true,
        scalabilityMode: 'L1T3',
        targetBitrate: 2_100_000,
        qualityLimitationReason: 'cpu',
      },
    ],
    ['R', { id: 'R', type: 'remote-inbound-rtp', timestamp, fractionLost: 0.25, roundTripTime: 0.1 }],
    ['U', { id: 'U', type: 'outbound-rtp', kind: 'audio', timestamp, mid: '9', bytesSent: 5 }],
  ] as [string, unknown][];

const owner = (track: string) =>
  track === 't1' ? ({ participant: 'a', kind: 'camera', slot: 2 } as const) : undefined;
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
      freezes: 3,
      frozenSeconds: 0.5,
      slot: 2,
    });
    expect(reader.path).toEqual({ rtt: 50, uplink: 900_000, transport: 'udp' });
    expect(outgoing).toMatchObject({
      participant: 'me',
      kind: 'camera',
      direction: 'out',
      rid: 'f',
      bitrate: 2_000_000,
      loss: 0.25,
      rtt: 100,
      scalability: 'L1T3',
      target: 2_100_000,
      reason: 'cpu',
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

  it('takes only scores of the server that are some', () => {
    expect([4, 4.4, 9, 0, Number.NaN, '5', null].map(score)).toEqual([4, 4, 5, 1, undefined, undefined, undefined]);
  });
});
