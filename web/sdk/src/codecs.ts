// Which codecs the offer names. A browser lists some twenty variants for each video line; an offer with 25 slots would
// carry 200 kB of them. We keep one of each codec that the server forwards.

const AUDIO = new Set(['audio/opus', 'audio/red']);
const VIDEO = new Set(['video/vp8', 'video/vp9', 'video/h264', 'video/av1', 'video/rtx']);

/** A video codec as SDP writes it. */
export type VideoCodec = 'VP8' | 'VP9' | 'AV1' | 'H264';

/** What every browser that can make calls decodes, the better choice first. */
const COMMON: readonly VideoCodec[] = ['VP8', 'H264'];

interface Codec {
  mimeType: string;
  sdpFmtpLine?: string;
}

/** Whether the offer should name that codec. */
export function wanted(codec: Codec): boolean {
  const type = codec.mimeType.toLowerCase();
  const fmtp = codec.sdpFmtpLine ?? '';
  if (type.startsWith('audio/')) return AUDIO.has(type);
  if (!VIDEO.has(type)) return false;
  if (type === 'video/vp9') return !/profile-id=[1-9]/.test(fmtp);
  if (type === 'video/av1') return !/profile=[1-9]/.test(fmtp);
  // Constrained baseline and baseline, not split into NAL units per packet: what every decoder takes.
  if (type === 'video/h264') return /packetization-mode=1/.test(fmtp) && /profile-level-id=42/i.test(fmtp);
  return true;
}

/**
 * Narrows what transceivers offer, `first` first. A browser that does not know how offers everything. Asking a browser what it has
 * takes it a while, so it is asked once for each kind.
 */
export class Narrowing {
  readonly #codecs = new Map<'audio' | 'video', readonly RTCRtpCodec[]>();

  apply(transceiver: RTCRtpTransceiver, kind: 'audio' | 'video', first?: VideoCodec | 'RED'): void {
    if (typeof transceiver.setCodecPreferences !== 'function') return;
    const preferred = (c: Codec) => c.mimeType.toLowerCase() === `${kind}/${first?.toLowerCase()}`;
    const some = [...this.#wanted(kind)].sort((a, b) => Number(preferred(b)) - Number(preferred(a)));
    if (some.length === 0) return;
    try {
      transceiver.setCodecPreferences(some);
    } catch {
      // Some versions want send capabilities for a sending line: leave the browser's own order.
    }
  }

  #wanted(kind: 'audio' | 'video'): readonly RTCRtpCodec[] {
    const known = this.#codecs.get(kind);
    if (known) return known;
    const all = (RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? []).filter(wanted);
    this.#codecs.set(kind, all);
    return all;
  }
}

/** The video codecs that this browser can encode and the server forwards. */
export function sendable(): VideoCodec[] {
  return named(RTCRtpSender.getCapabilities?.('video')?.codecs ?? []);
}

/** The video codecs that this browser can decode, of those the server forwards. */
export function decodable(): VideoCodec[] {
  return named(RTCRtpReceiver.getCapabilities?.('video')?.codecs ?? []);
}

function named(codecs: readonly Codec[]): VideoCodec[] {
  const types = new Set(codecs.filter(wanted).map((c) => c.mimeType.toLowerCase()));
  return (['VP8', 'VP9', 'AV1', 'H264'] as const).filter((name) => types.has(`video/${name.toLowerCase()}`));
}

/** What to send instead to somebody who decodes only `theirs`; undefined: there is nothing. */
export function fallback(ours: readonly VideoCodec[], theirs: readonly unknown[]): VideoCodec | undefined {
  return COMMON.find((codec) => ours.includes(codec) && theirs.includes(codec));
}

/** Puts a codec first in one media section of the answer: browsers send the first that they can. */
export function prefer(sdp: string, mid: string | undefined, codec: VideoCodec | 'RED'): string {
  const sections = sdp.split(/(?=^m=)/m);
  const at = sections.findIndex((section) => mid !== undefined && section.split(/\r?\n/).includes(`a=mid:${mid}`));
  const section = sections[at];
  if (!section) return sdp;
  const types = new Set<string>();
  for (const [, type, name] of section.matchAll(/^a=rtpmap:(\d+) ([^/\s]+)\//gm)) {
    if (type && name?.toUpperCase() === codec) types.add(type);
  }
  sections[at] = section.replace(/^(m=(?:audio|video) \S+ \S+ )([\d ]+)/, (_, head: string, list: string) => {
    const all = list.trim().split(' ');
    return head + [...all.filter((t) => types.has(t)), ...all.filter((t) => !types.has(t))].join(' ');
  });
  return sections.join('');
}
