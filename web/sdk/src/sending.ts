import { sendable, type VideoCodec } from './codecs';

/** What a page may ask for. `auto` is VP8, which every browser takes and encodes at little cost. */
export type CodecChoice = 'auto' | 'vp8' | 'vp9' | 'av1' | 'h264';

/** How the sizes of the camera's picture are made: several streams, or one in layers (VP9 and AV1, where the browser can). */
export type LayerChoice = 'auto' | 'simulcast' | 'svc';

/** An encoding with how it is made in layers, which TypeScript's DOM types do not have yet. */
export type Encoding = RTCRtpEncodingParameters & { scalabilityMode?: string };

/** What the video lines of a connection send. */
export interface SendPlan {
  codec: VideoCodec;
  camera: Encoding[];
  screen: Encoding[];
}

// Bit/s. Three sizes of the camera's picture, so that a small tile costs a viewer little; fewer of a small one (sizes.ts). Each has three temporal layers: a viewer whose
// network is short can do with a half or a quarter of the frames.
const SIMULCAST: Encoding[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: 'L1T3' },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_700_000, scalabilityMode: 'L1T3' },
];
// One stream with the sizes in it. _KEY: the sizes depend on each other at keyframes alone, so a viewer gets no bit more
// than the size it shows.
const SVC: Encoding[] = [{ maxBitrate: 1_700_000, scalabilityMode: 'L3T3_KEY' }];
const SCREEN: Encoding[] = [{ maxBitrate: 2_500_000, scalabilityMode: 'L1T3' }];

/** Makes the plan; a codec that this browser cannot send gives way to VP8. */
export function plan(
  choice: CodecChoice,
  layers: LayerChoice,
  ours: readonly VideoCodec[] = sendable(),
  canLayer: () => boolean = knowsModes,
): SendPlan {
  const asked = choice === 'auto' ? 'VP8' : (choice.toUpperCase() as VideoCodec);
  const codec = ours.includes(asked) ? asked : 'VP8';
  const layered = (codec === 'VP9' || codec === 'AV1') && layers !== 'simulcast' && canLayer();
  return { codec, camera: layered ? SVC : SIMULCAST, screen: SCREEN };
}

/**
 * Whether the browser knows scalability modes: then it refuses one that does not exist. Others ignore them, and would send
 * one size where layers are asked for.
 */
function knowsModes(): boolean {
  const pc = new RTCPeerConnection();
  try {
    const nonsense: Encoding[] = [{ scalabilityMode: 'none such' }];
    pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: nonsense });
    return false;
  } catch {
    return true;
  } finally {
    pc.close();
  }
}

/** Adds a sending line. Browsers that refuse a scalability mode get none. */
export function addSender(pc: RTCPeerConnection, encodings: Encoding[]): RTCRtpTransceiver {
  try {
    return pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: encodings });
  } catch {
    const plain = encodings.map(({ scalabilityMode: _, ...rest }) => rest);
    return pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: plain });
  }
}
