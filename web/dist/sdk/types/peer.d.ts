import { type VideoCodec } from './codecs';
import { ParleyError } from './errors';
import type { Kind, MediaOffer } from './protocol';
import { type SendPlan } from './sending';
/** A receive slot: one audio and one video line that together show one stream. */
export interface SlotLines {
    readonly audio: RTCRtpTransceiver;
    readonly video: RTCRtpTransceiver;
}
export interface PeerOwner {
    /** ICE or DTLS changed. */
    connection(state: RTCPeerConnectionState): void;
    data(frame: ArrayBuffer, reliable: boolean): void;
    /** A data channel opened or can take more. */
    writable(): void;
}
/** The error where this browser has no WebRTC. */
export declare function unsupported(): ParleyError | undefined;
/** One RTCPeerConnection to the server, with everything it may ever send in the first offer. */
export declare class Peer {
    #private;
    readonly pc: RTCPeerConnection;
    readonly slots: SlotLines[];
    readonly reliable: RTCDataChannel;
    readonly unreliable: RTCDataChannel;
    constructor(slots: number, plan: SendPlan, owner: PeerOwner);
    sender(kind: Kind): RTCRtpSender;
    /** The media section that carries the kind; undefined before the first answer. */
    mid(kind: Kind): string | undefined;
    /** Adds slots up to `count`; the next offer carries them. */
    grow(count: number): void;
    /**
     * Makes an offer for the server. Setting it takes browsers some 15 ms, which pass while the server makes its answer. One that
     * gets none is replaced by the next.
     */
    offer(restart?: boolean): Promise<MediaOffer>;
    /**
     * Takes the server's answer to the last offer; video is then sent in that codec, if the server has it. This connection gets no ICE servers: the relay shares its ports with the
     * media it would relay to, so it reaches nothing more, and browsers that are given a STUN or TURN server take whatever
     * comes from its address for an answer of that server, media and connectivity checks included.
     */
    answer(sdp: string, codec: VideoCodec): Promise<void>;
    /**
     * Lets the browser measure what its network takes: it does where the limit of the connection is raised. Nothing else changes, so the
     * server need not know. The limit is far above all that is ever sent.
     */
    measure(): Promise<void>;
    /** What the browser says of the picture it sends of that kind; nothing where it sends none. */
    sent(kind: 'camera' | 'screen'): Promise<unknown[]>;
    /** Bytes that have come on all paths; undefined where the browser does not tell, or the connection is closed. */
    bytesReceived(): Promise<number | undefined>;
    close(): void;
}
