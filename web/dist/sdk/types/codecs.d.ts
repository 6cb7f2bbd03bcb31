/** A video codec as SDP writes it. */
export type VideoCodec = 'VP8' | 'VP9' | 'AV1' | 'H264';
interface Codec {
    mimeType: string;
    sdpFmtpLine?: string;
}
/** Whether the offer should name that codec. */
export declare function wanted(codec: Codec): boolean;
/**
 * Narrows what transceivers offer, `first` first. A browser that does not know how offers everything. Asking a browser what it has
 * takes it a while, so it is asked once for each kind.
 */
export declare class Narrowing {
    #private;
    apply(transceiver: RTCRtpTransceiver, kind: 'audio' | 'video', first?: VideoCodec | 'RED'): void;
}
/** The video codecs that this browser can encode and the server forwards. */
export declare function sendable(): VideoCodec[];
/** The video codecs that this browser can decode, of those the server forwards. */
export declare function decodable(): VideoCodec[];
/** What to send instead to somebody who decodes only `theirs`; undefined: there is nothing. */
export declare function fallback(ours: readonly VideoCodec[], theirs: readonly unknown[]): VideoCodec | undefined;
/** Puts a codec first in one media section of the answer: browsers send the first that they can. */
export declare function prefer(sdp: string, mid: string | undefined, codec: VideoCodec | 'RED'): string;
export {};
