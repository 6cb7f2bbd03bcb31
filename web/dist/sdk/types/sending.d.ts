import { type VideoCodec } from './codecs';
/** What a page may ask for. `auto` is VP8, which every browser takes and encodes at little cost. */
export type CodecChoice = 'auto' | 'vp8' | 'vp9' | 'av1' | 'h264';
/** How the sizes of the camera's picture are made: several streams, or one in layers (VP9 and AV1, where the browser can). */
export type LayerChoice = 'auto' | 'simulcast' | 'svc';
/** An encoding with how it is made in layers, which TypeScript's DOM types do not have yet. */
export type Encoding = RTCRtpEncodingParameters & {
    scalabilityMode?: string;
};
/** What the video lines of a connection send. */
export interface SendPlan {
    codec: VideoCodec;
    camera: Encoding[];
    screen: Encoding[];
}
/** Makes the plan; a codec that this browser cannot send gives way to VP8. */
export declare function plan(choice: CodecChoice, layers: LayerChoice, ours?: readonly VideoCodec[], canLayer?: () => boolean): SendPlan;
/** Adds a sending line. Browsers that refuse a scalability mode get none. */
export declare function addSender(pc: RTCPeerConnection, encodings: Encoding[]): RTCRtpTransceiver;
