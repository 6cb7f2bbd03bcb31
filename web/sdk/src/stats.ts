import type { Kind, Reason } from './protocol';

/** Why a stream is what it is; `cpu` and `unwatched` are said of what we send alone. */
export type StreamReason = Reason | 'cpu' | 'unwatched';

/** How one stream does. Rates are over the time since the last look, 2 seconds or so. */
export interface StreamStats {
  participant: string;
  kind: Kind;
  direction: 'in' | 'out';
  /** The slot that it comes in, of what we receive. */
  slot?: number;
  codec?: string;
  /** The simulcast encoding: `q`, `h` and `f`, the smallest first. */
  rid?: string;
  /** Layer of size and layer of frame rate, from 0. */
  spatial?: number;
  temporal?: number;
  /** How one stream is made in layers, such as `L1T3`: of what we send. */
  scalability?: string;
  width?: number;
  height?: number;
  /** Frames a second. */
  fps?: number;
  /** bit/s. */
  bitrate: number;
  /** What the server or the encoder aims at, bit/s. */
  target?: number;
  /** Share of packets lost, 0 to 1. */
  loss?: number;
  /** Milliseconds. */
  jitter?: number;
  /** Milliseconds, between this browser and the server. */
  rtt?: number;
  /** Video that arrives and is late or stands still: share of the time, 0 to 1. */
  frozen?: number;
  /** How often the picture has stood still so far, and for how long in all, seconds. */
  freezes?: number;
  frozenSeconds?: number;
  /** Sound that was missing and had to be made up: share of the time, 0 to 1. */
  concealed?: number;
  framesDecoded?: number;
  /** Of what we send: false where nobody watches this size, or this machine is too slow for it. */
  active?: boolean;
  reason?: StreamReason;
  /** The reason in a sentence. */
  why?: string;
}

/** The network path in use, as the browser sees it. */
export interface PathStats {
  /** Milliseconds. */
  rtt?: number;
  /** What the browser believes it can send, bit/s. */
  uplink?: number;
  /** `udp`, `tcp`, or `relay` where a TURN server is in between. */
  transport?: string;
}

/** Whose a track is. */
export type Owner = (trackId: string) => { participant: string; kind: Kind; slot: number } | undefined;
/** What is sent on a media section. */
export type SentKind = (mid: string) => Kind | undefined;

interface Sample {
  at: number;
  bytes: number;
  packets: number;
  lost: number;
  frozen: number;
  concealed: number;
  samples: number;
}

// The fields we read of RTCStatsReport's entries; browsers leave some out.
interface Entry {
  id: string;
  type: string;
  timestamp: number;
  kind?: string;
  mid?: string;
  rid?: string;
  codecId?: string;
  mimeType?: string;
  remoteId?: string;
  trackIdentifier?: string;
  bytesReceived?: number;
  bytesSent?: number;
  packetsReceived?: number;
  packetsLost?: number;
  packetsSent?: number;
  jitter?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  framesDecoded?: number;
  freezeCount?: number;
  totalFreezesDuration?: number;
  concealedSamples?: number;
  totalSamplesReceived?: number;
  active?: boolean;
  scalabilityMode?: string;
  targetBitrate?: number;
  qualityLimitationReason?: string;
  roundTripTime?: number;
  fractionLost?: number;
  selectedCandidatePairId?: string;
  currentRoundTripTime?: number;
  availableOutgoingBitrate?: number;
  localCandidateId?: string;
  candidateType?: string;
  protocol?: string;
  state?: string;
  nominated?: boolean;
}

/** Turns the browser's counters into rates. */
export class StatsReader {
  path: PathStats = {};
  #before = new Map<string, Sample>();

  read(report: Iterable<[string, unknown]>, me: string, owner: Owner, sent: SentKind): StreamStats[] {
    const entries = new Map(report as Iterable<[string, Entry]>);
    this.path = readPath(entries);
    const seen = new Map<string, Sample>();
    const out: StreamStats[] = [];
    for (const entry of entries.values()) {
      let stats: StreamStats | undefined;
      if (entry.type === 'inbound-rtp') stats = this.#inbound(entry, entries, seen, owner);
      else if (entry.type === 'outbound-rtp') stats = this.#outbound(entry, entries, seen, me, sent);
      if (stats) out.push({ ...stats, rtt: stats.rtt ?? this.path.rtt });
    }
    this.#before = seen;
    return out;
  }

  #inbound(e: Entry, entries: Map<string, Entry>, seen: Map<string, Sample>, owner: Owner): StreamStats | undefined {
    const who = e.trackIdentifier ? owner(e.trackIdentifier) : undefined;
    const now = sample(e, e.bytesReceived, e.packetsReceived, e.packetsLost);
    seen.set(e.id, now);
    const before = this.#before.get(e.id);
    if (!who) return undefined;
    const rates = diff(before, now);
    return {
      ...who,
      direction: 'in',
      codec: codec(e, entries),
      width: e.frameWidth,
      height: e.frameHeight,
      fps: e.framesPerSecond,
      bitrate: rates.bitrate,
      loss: rates.loss,
      jitter: ms(e.jitter),
      frozen: e.kind === 'video' ? rates.frozen : undefined,
      freezes: e.freezeCount,
      frozenSeconds: e.totalFreezesDuration,
      concealed: e.kind === 'audio' ? rates.concealed : undefined,
      framesDecoded: e.framesDecoded,
    };
  }

  #outbound(
    e: Entry,
    entries: Map<string, Entry>,
    seen: Map<string, Sample>,
    me: string,
    sent: SentKind,
  ): StreamStats | undefined {
    const kind = e.mid === undefined ? undefined : sent(e.mid);
    const now = sample(e, e.bytesSent, e.packetsSent, 0);
    seen.set(e.id, now);
    const before = this.#before.get(e.id);
    if (!kind || !e.bytesSent) return undefined;
    const remote = e.remoteId ? entries.get(e.remoteId) : undefined;
    return {
      participant: me,
      kind,
      direction: 'out',
      codec: codec(e, entries),
      rid: e.rid,
      scalability: e.scalabilityMode,
      active: e.active,
      target: e.targetBitrate,
      reason: sendingReason(e),
      width: e.frameWidth,
      height: e.frameHeight,
      fps: e.framesPerSecond,
      bitrate: diff(before, now).bitrate,
      loss: remote?.fractionLost,
      jitter: ms(remote?.jitter),
      rtt: ms(remote?.roundTripTime),
    };
  }
}

/** Why what we send is what it is, as far as the browser tells. */
function sendingReason(e: Entry): StreamReason | undefined {
  if (e.active === false) return 'unwatched';
  switch (e.qualityLimitationReason) {
    case 'cpu':
    case 'bandwidth':
      return e.qualityLimitationReason;
    case 'none':
      return 'best';
    default:
      return undefined;
  }
}

function sample(e: Entry, bytes = 0, packets = 0, lost = 0): Sample {
  const { totalFreezesDuration: frozen = 0, concealedSamples: concealed = 0, totalSamplesReceived: samples = 0 } = e;
  return { at: e.timestamp, bytes, packets, lost, frozen, concealed, samples };
}

interface Rates {
  bitrate: number;
  loss?: number;
  frozen?: number;
  concealed?: number;
}

function diff(before: Sample | undefined, now: Sample): Rates {
  if (!before || now.at <= before.at || now.bytes < before.bytes) return { bitrate: 0 };
  const seconds = (now.at - before.at) / 1000;
  const lost = Math.max(0, now.lost - before.lost);
  const expected = now.packets - before.packets + lost;
  return {
    bitrate: Math.round(((now.bytes - before.bytes) * 8) / seconds),
    loss: expected > 0 ? lost / expected : 0,
    frozen: share(now.frozen - before.frozen, seconds),
    concealed: share(now.concealed - before.concealed, now.samples - before.samples),
  };
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}

function codec(e: Entry, entries: Map<string, Entry>): string | undefined {
  const mime = e.codecId ? entries.get(e.codecId)?.mimeType : undefined;
  return mime?.slice(mime.indexOf('/') + 1);
}

function ms(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 10_000) / 10;
}

/** The path in use, with the round trip that ICE measures on it. */
function readPath(entries: Map<string, Entry>): PathStats {
  const pair = selected(entries);
  if (!pair) return {};
  const local = entries.get(pair.localCandidateId ?? '');
  return {
    rtt: ms(pair.currentRoundTripTime),
    uplink: pair.availableOutgoingBitrate,
    transport: local?.candidateType === 'relay' ? 'relay' : local?.protocol,
  };
}

function selected(entries: Map<string, Entry>): Entry | undefined {
  for (const e of entries.values()) {
    if (e.type === 'transport' && e.selectedCandidatePairId) return entries.get(e.selectedCandidatePairId);
  }
  for (const e of entries.values()) {
    if (e.type === 'candidate-pair' && e.nominated && e.state === 'succeeded') return e;
  }
  return undefined;
}
