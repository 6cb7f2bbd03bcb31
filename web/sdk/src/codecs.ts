// Which codecs the offer names. A browser lists some twenty variants for each video line; an offer with 25 slots would
// carry 200 kB of them. We keep one of each codec that the server forwards.

const AUDIO = new Set(['audio/opus']);
const VIDEO = new Set(['video/vp8', 'video/vp9', 'video/h264', 'video/av1', 'video/rtx']);

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

/** Narrows what the transceiver offers. A browser that does not know how offers everything. */
export function narrow(transceiver: RTCRtpTransceiver, kind: 'audio' | 'video'): void {
  if (typeof transceiver.setCodecPreferences !== 'function') return;
  const all = RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [];
  const some = all.filter(wanted);
  if (some.length === 0) return;
  try {
    transceiver.setCodecPreferences(some);
  } catch {
    // Some versions want send capabilities for a sending line: leave the browser's own order.
  }
}
