import type { Json } from '../protocol';
import type { Transfer } from './transfer';
export interface FilesOwner {
    signal(to: string, data: Json): Promise<void>;
    iceServers(): RTCIceServer[];
    offered(transfer: Transfer): void;
    /** Messages that the server takes of us a second, if it says so. */
    messagesPerSecond(): number | undefined;
}
/** The files of a room: those we send and those offered to us. */
export declare class Files {
    #private;
    /** All transfers since the join, the oldest first; ended ones with nothing to save are forgotten after a hundred. */
    get transfers(): readonly Transfer[];
    /** Offers a file to a participant, straight from this browser to theirs. Follow the transfer's events. */
    send(file: File, to: string): Transfer;
    /**
     * Offers files to participants, one transfer for each file and each of them. Everybody is asked once. Any number may be
     * given: so many run at once, the others wait in turn.
     */
    sendAll(files: readonly File[], to: readonly string[]): Transfer[];
}
