import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { report } from '../src/report';
import type { StreamStats } from '../src/stats';

const camera: StreamStats = { participant: 'a', kind: 'camera', direction: 'in', slot: 0, codec: 'VP8', bitrate: 500 };
const voice: StreamStats = { participant: 'a', kind: 'microphone', direction: 'in', slot: 0, bitrate: 40 };
const own: StreamStats = {
  participant: 'me',
  kind: 'camera',
  direction: 'out',
  rid: 'f',
  bitrate: 900,
  reason: 'best',
};
const measured = { state: 'connected', path: { rtt: 20 }, streams: [own, voice, camera] } as const;

describe('report', () => {
  it('is what the browser measures, where the server tells nothing', () => {
    const r = report(7, measured, undefined, 'me');
    expect(r).toMatchObject({ at: 7, state: 'connected', path: { rtt: 20 }, received: 540, sent: 900 });
    expect(r.downlink).toBeUndefined();
    expect(r.streams.map((s) => [s.participant, s.kind])).toEqual([
      ['a', 'camera'],
      ['a', 'microphone'],
      ['me', 'camera'],
    ]);
  });

  it('joins the layer, the reason and the estimate to it', () => {
    const r = report(
      7,
      measured,
      {
        downlink: { estimate_bps: 2_400_000, loss_percent: 0.5, state: 'hold', source: 'twcc', queue_ms: 3 },
        slots: [
          {
            slot: 0,
            video: 'a.camera',
            codec: 'VP9',
            rid: 'h',
            spatial: 1,
            temporal: 2,
            target_bps: 480,
            reason: 'bandwidth',
          },
        ],
        uplink: [{ kind: 'camera', layers: [{ rid: 'f', wanted: false, loss_percent: 10 }] }],
      },
      'me',
    );
    expect(r.downlink).toEqual({ estimate: 2_400_000, loss: 0.005, state: 'hold', source: 'twcc', queue: 3 });
    const [a, mic, mine] = r.streams;
    expect(a).toMatchObject({ codec: 'VP8', rid: 'h', spatial: 1, temporal: 2, target: 480, reason: 'bandwidth' });
    expect(a?.why).toMatch(/^Your connection/);
    expect(mic?.reason).toBeUndefined();
    expect(mine).toMatchObject({ reason: 'unwatched', loss: 0.1 });
    expect(mine?.why).toMatch(/Nobody watches/);
  });

  it('shows a video of which nothing has come yet', () => {
    const paused = { slot: 3, video: 'x.y.screen', reason: 'paused' } as const;
    const r = report(7, { ...measured, streams: [] }, { slots: [paused, { slot: 4, video: null }] }, 'me');
    expect(r.streams).toMatchObject([{ participant: 'x.y', kind: 'screen', slot: 3, bitrate: 0, reason: 'paused' }]);
  });

  it('reads what the server is known to say', () => {
    const golden = new URL('../../../signaling/testdata/server/stats.json', import.meta.url);
    const r = report(7, { ...measured, streams: [own] }, JSON.parse(readFileSync(golden, 'utf8')), 'me');
    expect(r.downlink).toMatchObject({ estimate: 2_400_000, state: 'hold', source: 'twcc' });
    const picture = { participant: 'p2', kind: 'camera', rid: 'h', spatial: 1, temporal: 2, reason: 'size' };
    expect(r.streams.find((s) => s.direction === 'in')).toMatchObject(picture);
  });
});
