import type { MediaState } from './media';
import type { Kind, WireSlotStats, WireStats } from './protocol';
import type { PathStats, StreamReason, StreamStats } from './stats';

/** What the server estimates of the way to us, and does with it. Rates are bit/s, times milliseconds. */
export interface Downlink {
  estimate?: number;
  sent?: number;
  /** Share of packets lost, 0 to 1. */
  loss?: number;
  rtt?: number;
  /** How long what is sent waits in the network. */
  queue?: number;
  /** `hold`, `increase`, `decrease` or `probe`. */
  state?: string;
  /** Where the estimate comes from: `twcc`, `remb`, `rr` (receiver reports alone), or `none`. */
  source?: string;
}

export interface RoomStats {
  /** Milliseconds since 1970. */
  at: number;
  /** The connection that carries sound and picture. */
  state: MediaState;
  path: PathStats;
  /** Undefined where the server does not tell. */
  downlink?: Downlink;
  /** Sums over the streams, bit/s. */
  received: number;
  sent: number;
  streams: StreamStats[];
}

/** What the browser measured of one moment. */
export interface Measured {
  state: MediaState;
  path: PathStats;
  streams: readonly StreamStats[];
}

/** Joins what the browser measured with what the server knows. Pure. */
export function report(at: number, measured: Measured, server: WireStats | undefined, me: string): RoomStats {
  const slots = new Map((server?.slots ?? []).map((s) => [s.slot, s]));
  const streams = measured.streams.map((s) => (s.direction === 'in' ? received(s, slots) : sent(s, server)));
  for (const slot of slots.values()) {
    const stream = unseen(slot, measured.streams);
    if (stream) streams.push(stream);
  }
  for (const s of streams) s.why = why(s);
  streams.sort((a, b) => order(a, me) - order(b, me));
  const sum = (direction: 'in' | 'out') =>
    streams.reduce((total, s) => total + (s.direction === direction ? s.bitrate : 0), 0);
  return {
    at,
    state: measured.state,
    path: measured.path,
    downlink: server?.downlink && downlink(server.downlink),
    received: sum('in'),
    sent: sum('out'),
    streams,
  };
}

function downlink(d: NonNullable<WireStats['downlink']>): Downlink {
  return {
    estimate: d.estimate_bps,
    sent: d.sent_bps,
    loss: percent(d.loss_percent),
    rtt: d.rtt_ms,
    queue: d.queue_ms,
    state: d.state,
    source: d.source,
  };
}

function percent(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 100;
}

/** The server knows the layer and the reason, the browser what came of it. */
function received(stream: StreamStats, slots: Map<number, WireSlotStats>): StreamStats {
  const slot = stream.slot === undefined || !isVideo(stream.kind) ? undefined : slots.get(stream.slot);
  if (!slot) return { ...stream };
  const { rid, spatial, temporal, target_bps: target, reason } = slot;
  return { ...stream, rid, spatial, temporal, target, reason, codec: stream.codec ?? slot.codec };
}

function sent(stream: StreamStats, server: WireStats | undefined): StreamStats {
  const layers = server?.uplink?.find((u) => u.kind === stream.kind)?.layers ?? [];
  const layer = layers.find((l) => (l.rid ?? '') === (stream.rid ?? ''));
  return {
    ...stream,
    loss: percent(layer?.loss_percent) ?? stream.loss,
    reason: layer?.wanted === false ? 'unwatched' : stream.reason,
  };
}

/** A video of which nothing has come yet: the browser knows nothing of it. */
function unseen(slot: WireSlotStats, streams: readonly StreamStats[]): StreamStats | undefined {
  const dot = slot.video?.lastIndexOf('.') ?? -1;
  if (!slot.video || dot < 0) return undefined;
  const kind = slot.video.slice(dot + 1) as Kind;
  if (!isVideo(kind) || streams.some((s) => s.slot === slot.slot && s.kind === kind)) return undefined;
  const { codec, rid, spatial, temporal, target_bps: target, reason } = slot;
  return {
    participant: slot.video.slice(0, dot),
    kind,
    direction: 'in',
    slot: slot.slot,
    codec,
    rid,
    spatial,
    temporal,
    target,
    reason,
    bitrate: 0,
  };
}

function isVideo(kind: Kind): boolean {
  return kind === 'camera' || kind === 'screen';
}

/** What we receive before what we send, video before sound, large sizes first. */
function order(s: StreamStats, me: string): number {
  const own = s.participant === me ? 1e6 : 0;
  return own + (isVideo(s.kind) ? 0 : 1e5) - Math.min(9999, (s.width ?? 0) + (s.rid ? ' qhf'.indexOf(s.rid) : 0));
}

const RECEIVED: Record<StreamReason, string> = {
  best: 'This is the best that is sent.',
  size: 'This is as sharp as its place on the page needs. A larger tile gets a larger picture.',
  bandwidth: 'Your connection takes no more at the moment.',
  switching: 'Another size is about to come: it starts with the next whole picture.',
  silent: 'The sender sends no larger picture at the moment.',
  paused: 'Paused: your connection is too slow for it. The sound goes on.',
  muted: 'It is switched off.',
  hidden: 'It is not on show, so it is not sent.',
  codec: 'This browser cannot show the format that is sent.',
  cpu: 'The sender’s device is too slow for more.',
  unwatched: 'Nobody watches it.',
};

const SENT: Partial<Record<StreamReason, string>> = {
  best: 'Nothing limits it.',
  bandwidth: 'Your connection takes no more at the moment.',
  cpu: 'This device is too slow to send more.',
  unwatched: 'Nobody watches this size now, so it is not sent.',
};

/** The reason in a sentence. */
export function why(stream: StreamStats): string | undefined {
  if (!stream.reason) return undefined;
  return (stream.direction === 'in' ? RECEIVED : SENT)[stream.reason];
}
