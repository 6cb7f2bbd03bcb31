import type { Json } from '../protocol';
import type { Transfer } from './transfer';
export interface FilesOwner {
    signal(to: string, data: Json): Promise<void>;
    iceServers(): RTCIceServer[];
    offered(transfer: Transfer): void;
}
/** The files of a room: those we send and those offered to us. */
export declare class Files {
    #private;
    /** All transfers since the join, the oldest first; ended ones are forgotten after a hundred. */
    get transfers(): readonly Transfer[];
    /** Offers a file to a participant, straight from this browser to theirs. Follow the transfer's events. */
    send(file: File, to: string): Transfer;
}
