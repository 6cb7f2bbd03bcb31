import { Emitter } from '../emitter';
import { type ErrorCode, ParleyError } from '../errors';
import { type Batch } from './wire';
export type TransferState = 
/** The receiver was asked. */
'offered'
/** Accepted; its turn comes when others are done. */
 | 'queued'
/** The two browsers are looking for a way to each other. */
 | 'connecting' | 'active'
/** All bytes are through; the receiver compares SHA-256 sums. */
 | 'verifying' | 'done' | 'rejected' | 'cancelled' | 'failed';
export interface TransferEvents {
    state: TransferState;
    /** 0 to 1, at most ten times a second. */
    progress: number;
    /** Whether save() has something to hand over. */
    savable: boolean;
}
/** 'auto' takes the first that works: the save picker, the origin's private file system, memory. */
export interface AcceptOptions {
    sink?: 'auto' | 'picker' | 'opfs' | 'memory';
    /** Everything that was offered together with it, also what is still to be named. No picker opens then. */
    all?: boolean;
}
export interface FileFacts {
    id: string;
    name: string;
    size: number;
    type: string;
    peer: string;
    batch: Batch | undefined;
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
    /** What it was offered together with, if it was not alone. */
    readonly batch: Batch | undefined;
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
    /** Declines an offered file; `all`: with everything that was offered together with it. */
    abstract reject(options?: {
        all?: boolean;
    }): void;
    /** Gives the received file to the user as a download. Nothing happens where accept() asked for its place. */
    abstract save(): Promise<void>;
    /** Gives the file up: what is under way is cancelled, what was received is removed from the browser's storage. */
    discard(): void;
    /** Ends the transfer on both sides. */
    cancel(): void;
}
export declare function toError(error: unknown, code: ErrorCode): ParleyError;
