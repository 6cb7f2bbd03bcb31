// Invented figures for the statistics panel.
import type { Reason, RoomStats, StreamStats } from 'parley-sdk';
import { report } from '../../sdk/src/report';
import type { CallRoom } from './backend';

const sizes = [
  ['f', 1280, 720, 1_640_000],
  ['h', 640, 360, 470_000],
  ['q', 320, 180, 140_000],
] as const;
const reasons: Reason[] = ['best', 'bandwidth', 'size', 'silent'];

/** Figures that move a little from look to look. */
export function fakeStats(room: CallRoom): RoomStats {
  const now = Date.now();
  const wave = (n: number) => 1 + 0.15 * Math.sin(now / 3000 + n);
  const streams: StreamStats[] = [];
  [...room.participants.values()].forEach((p, n) => {
    if (p.id === room.me.id) return;
    const [rid, width, height, bitrate] = sizes[n % 3] ?? sizes[0];
    const held = room.paused(p.id, 'camera');
    const loss = p.quality < 3 ? 0.084 : 0.001;
    const common = { participant: p.id, direction: 'in', slot: n, jitter: 4 * wave(n), rtt: 31 } as const;
    if (p.live('camera')) {
      const size = { rid, width, height, fps: held ? 0 : 30, spatial: 2 - (n % 3), temporal: 2 };
      streams.push({
        ...common,
        kind: 'camera',
        codec: 'VP8',
        ...size,
        bitrate: held ? 0 : Math.round(bitrate * wave(n)),
        target: bitrate,
        loss,
        freezes: n % 3,
        frozenSeconds: (n % 3) * 0.8,
        reason: held ? 'paused' : reasons[n % 4],
      });
    }
    if (p.live('microphone')) {
      streams.push({ ...common, kind: 'microphone', codec: 'opus', bitrate: 38_000, loss, concealed: loss / 2 });
    }
  });
  for (const [rid, width, height, bitrate] of sizes) {
    const active = rid !== 'f' || room.participants.size < 4;
    streams.push({
      participant: room.me.id,
      kind: 'camera',
      direction: 'out',
      codec: 'VP8',
      rid,
      width,
      height,
      fps: 30,
      scalability: 'L1T3',
      bitrate: active ? Math.round(bitrate * wave(9)) : 0,
      loss: 0.002,
      rtt: 33,
      active,
      reason: active ? 'best' : 'unwatched',
    });
  }
  const path = { rtt: 31, uplink: 3_400_000, transport: 'udp' };
  const downlink = {
    estimate_bps: Math.round(2_400_000 * wave(1)),
    sent_bps: 1_810_000,
    loss_percent: 0.4,
    rtt_ms: 31,
    queue_ms: 3,
    state: 'hold',
    source: 'twcc',
  };
  return report(now, { state: room.mediaState, path, streams }, { downlink }, room.me.id);
}
