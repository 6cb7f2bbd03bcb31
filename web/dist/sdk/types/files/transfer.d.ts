import { Emitter } from '../emitter';
import { type ErrorCode, ParleyError } from '../errors';
export type TransferState = 
/** The receiver was asked. */
'offered'
/** Accepted; the two browsers are looking for a way to each other. */
 | 'connecting' | 'active'
/** All bytes are through; the receiver compares SHA-256 sums. */
 | 'verifying' | 'done' | 'rejected' | 'cancelled' | 'failed';
export interface TransferEvents {
    state: TransferState;
    /** 0 to 1, at most ten times a second. */
    progress: number;
}
/** 'auto' takes the first that works: the save picker, the origin's private file system, memory. */
export interface AcceptOptions {
    sink?: 'auto' | 'picker' | 'opfs' | 'memory';
}
export interface FileFacts {
    id: string;
    name: string;
    size: number;
    type: string;
    peer: string;
}
/** One file on its way from one participant to another. */
export declare abstract class Transfer extends Emitter<TransferEvents> {
    #private;
    readonly id: string;
    readonly name: string;
    /** Bytes. */
    readonly size: number;
    /** Its MIME type. */
    readonly type: string;
    /** The other participant's id. */
    readonly peer: string;
    abstract readonly direction: 'in' | 'out';
    state: TransferState;
    /** Bytes that the receiver has stored. */
    bytes: number;
    /** Bytes a second, over the last seconds. */
    speed: number;
    error: ParleyError | undefined;
    /** Lower-case hexadecimal; known when the transfer is done. */
    sha256: string | undefined;
    /** Whether nothing more will happen. */
    get final(): boolean;
    /** Whether save() has something to hand over. */
    get savable(): boolean;
    /** Takes an offered file. Call it in a click: a save picker may open. */
    abstract accept(options?: AcceptOptions): Promise<void>;
    /** Declines an offered file. */
    abstract reject(): void;
    /** Gives the received file to the user as a download. Nothing happens where accept() asked for its place. */
    abstract save(): Promise<void>;
    /** Ends the transfer on both sides. */
    cancel(): void;
}
export declare function toError(error: unknown, code: ErrorCode): ParleyError;
