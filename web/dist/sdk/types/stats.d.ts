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
export type Owner = (trackId: string) => {
    participant: string;
    kind: Kind;
    slot: number;
} | undefined;
/** What is sent on a media section. */
export type SentKind = (mid: string) => Kind | undefined;
/** Turns the browser's counters into rates. */
export declare class StatsReader {
    #private;
    path: PathStats;
    read(report: Iterable<[string, unknown]>, me: string, owner: Owner, sent: SentKind): StreamStats[];
}
