import type { Json } from '../protocol';
export declare const APP = "parley.file";
/** What is offered together is one question: so many files, so many bytes in all. */
export interface Batch {
    readonly id: string;
    readonly count: number;
    readonly size: number;
}
export type FileSignal = {
    type: 'offer';
    name: string;
    size: number;
    mime: string;
    batch?: Batch;
} | {
    type: 'accept';
}
/** `busy`: there are too many offers already. `all`: of the whole batch. */
 | {
    type: 'reject';
    busy?: boolean;
    all?: boolean;
} | {
    type: 'cancel';
} | {
    type: 'failed';
} | {
    type: 'sdp';
    kind: 'offer' | 'answer';
    sdp: string;
} | {
    type: 'ice';
    candidates: RTCIceCandidateInit[];
};
export type ChannelMessage = 
/** The sender has sent everything. */
{
    type: 'done';
    sha256: string;
}
/** The receiver has stored so many bytes. */
 | {
    type: 'ack';
    bytes: number;
}
/** The receiver has checked the SHA-256. */
 | {
    type: 'verified';
} | {
    type: 'cancel';
} | {
    type: 'failed';
    code: string;
};
/** Reads a signal about a file; undefined if it is none, or malformed. */
export declare function parseSignal(data: Json): {
    transfer: string;
    signal: FileSignal;
} | undefined;
/** Reads a text of the file channel; undefined if it is malformed. */
export declare function parseChannel(text: string): ChannelMessage | undefined;
/** A file name without folders and without characters that hide what it is. */
export declare function cleanName(name: string): string;
