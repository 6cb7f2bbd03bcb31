import type { Kind } from './protocol';

/** How one stream does. Rates are over the time since the last look, 2 seconds or so. */
export interface StreamStats {
  participant: string;
  kind: Kind;
  direction: 'in' | 'out';
  codec?: string;
  /** The simulcast encoding, of what we send. */
  rid?: string;
  width?: number;
  height?: number;
  /** Frames a second. */
  fps?: number;
  /** bit/s. */
  bitrate: number;
  /** Share of packets lost, 0 to 1. */
  loss?: number;
  /** Milliseconds. */
  jitter?: number;
  /** Milliseconds, between this browser and the server. */
  rtt?: number;
  /** Video that arrives and is late or stands still: share of the time, 0 to 1. */
  frozen?: number;
  framesDecoded?: number;
}

/** Whose a track is. */
export type Owner = (trackId: string) => { participant: string; kind: Kind } | undefined;
/** What is sent on a media section. */
export type SentKind = (mid: string) => Kind | undefined;

interface Sample {
  at: number;
  bytes: number;
  packets: number;
  lost: number;
  frozen: number;
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
  totalFreezesDuration?: number;
  roundTripTime?: number;
  fractionLost?: number;
  selectedCandidatePairId?: string;
  currentRoundTripTime?: number;
  state?: string;
  nominated?: boolean;
}

/** Turns the browser's counters into rates. */
export class StatsReader {
  #before = new Map<string, Sample>();

  read(report: Iterable<[string, unknown]>, me: string, owner: Owner, sent: SentKind): StreamStats[] {
    const entries = new Map(report as Iterable<[string, Entry]>);
    const rtt = pathRTT(entries);
    const seen = new Map<string, Sample>();
    const out: StreamStats[] = [];
    for (const entry of entries.values()) {
      let stats: StreamStats | undefined;
      if (entry.type === 'inbound-rtp') stats = this.#inbound(entry, entries, seen, owner);
      else if (entry.type === 'outbound-rtp') stats = this.#outbound(entry, entries, seen, me, sent);
      if (stats) out.push({ ...stats, rtt: stats.rtt ?? rtt });
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
      frozen: rates.frozen,
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

function sample(e: Entry, bytes = 0, packets = 0, lost = 0): Sample {
  return { at: e.timestamp, bytes, packets, lost, frozen: e.totalFreezesDuration ?? 0 };
}

function diff(before: Sample | undefined, now: Sample): { bitrate: number; loss?: number; frozen?: number } {
  if (!before || now.at <= before.at || now.bytes < before.bytes) return { bitrate: 0 };
  const seconds = (now.at - before.at) / 1000;
  const lost = Math.max(0, now.lost - before.lost);
  const expected = now.packets - before.packets + lost;
  return {
    bitrate: Math.round(((now.bytes - before.bytes) * 8) / seconds),
    loss: expected > 0 ? lost / expected : 0,
    frozen: Math.min(1, Math.max(0, now.frozen - before.frozen) / seconds),
  };
}

function codec(e: Entry, entries: Map<string, Entry>): string | undefined {
  const mime = e.codecId ? entries.get(e.codecId)?.mimeType : undefined;
  return mime?.slice(mime.indexOf('/') + 1);
}

function ms(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 10_000) / 10;
}

/** The round trip that ICE measures on the path in use, milliseconds. */
function pathRTT(entries: Map<string, Entry>): number | undefined {
  for (const e of entries.values()) {
    if (e.type !== 'transport' || !e.selectedCandidatePairId) continue;
    return ms(entries.get(e.selectedCandidatePairId)?.currentRoundTripTime);
  }
  for (const e of entries.values()) {
    if (e.type === 'candidate-pair' && e.nominated && e.state === 'succeeded') return ms(e.currentRoundTripTime);
  }
  return undefined;
}

export type Quality = 1 | 2 | 3 | 4 | 5;

/**
 * How good a participant's sound and picture arrive, from 5 (nothing lost) to 1 (hardly usable): the worst of loss,
 * standing pictures and round trip over their streams. Undefined while nothing flows.
 */
export function quality(streams: readonly StreamStats[]): Quality | undefined {
  const flowing = streams.filter((s) => s.bitrate > 0);
  if (flowing.length === 0) return undefined;
  let worst = 5;
  for (const s of flowing) {
    worst = Math.min(worst, grade(s.loss ?? 0, [0.01, 0.04, 0.1, 0.25]));
    worst = Math.min(worst, grade(s.frozen ?? 0, [0.02, 0.1, 0.25, 0.5]));
    worst = Math.min(worst, grade(s.rtt ?? 0, [200, 400, 700, 1500]));
  }
  return worst as Quality;
}

function grade(value: number, limits: readonly number[]): number {
  const passed = limits.filter((limit) => value >= limit).length;
  return 5 - passed;
}
