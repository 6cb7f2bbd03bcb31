import type { SlotLines } from './peer';
import type { Stream, WireSlot } from './protocol';
/** What a slot shows now, and the streams to show it with. The streams stay the same objects for the slot's whole life. */
export interface Slot {
    readonly video: MediaStream;
    readonly audio: MediaStream;
    participant: string | null;
    stream: Stream | null;
    hasVideo: boolean;
    hasAudio: boolean;
}
export interface SlotChange {
    participant: string;
    stream: Stream;
}
/** The server's slot map on the browser's tracks. */
export declare class Slots {
    #private;
    slots: Slot[];
    /** Follows a connection's lines: more of them, or, after a rejoin, others (then `replace`). */
    lines(lines: readonly SlotLines[], replace: boolean): void;
    /** Takes the whole map; returns the streams whose tracks are others than before. */
    apply(map: readonly WireSlot[]): SlotChange[];
    find(participant: string, stream: Stream): Slot | undefined;
    /** What shows a stream now. */
    picture(participant: string, stream: Stream): MediaStream | undefined;
    /** The tracks that carry a stream now. */
    tracks(participant: string, stream: Stream): {
        video?: MediaStreamTrack;
        audio?: MediaStreamTrack;
    };
}
