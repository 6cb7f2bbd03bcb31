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
export type Owner = (trackId: string) => {
    participant: string;
    kind: Kind;
} | undefined;
/** What is sent on a media section. */
export type SentKind = (mid: string) => Kind | undefined;
/** Turns the browser's counters into rates. */
export declare class StatsReader {
    #private;
    read(report: Iterable<[string, unknown]>, me: string, owner: Owner, sent: SentKind): StreamStats[];
}
export type Quality = 1 | 2 | 3 | 4 | 5;
/**
 * How good a participant's sound and picture arrive, from 5 (nothing lost) to 1 (hardly usable): the worst of loss,
 * standing pictures and round trip over their streams. Undefined while nothing flows.
 */
export declare function quality(streams: readonly StreamStats[]): Quality | undefined;
