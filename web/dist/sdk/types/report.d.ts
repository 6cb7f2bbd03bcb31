import type { MediaState } from './media';
import type { WireStats } from './protocol';
import type { PathStats, StreamStats } from './stats';
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
export declare function report(at: number, measured: Measured, server: WireStats | undefined, me: string): RoomStats;
/** The reason in a sentence. */
export declare function why(stream: StreamStats): string | undefined;
