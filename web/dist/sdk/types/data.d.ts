import type { Peer } from './peer';
export interface SendOptions {
    /** Participant ids; default: everybody else. An empty list is nobody. */
    to?: string[];
    /** Ordered and resent until it arrives (default), or as fast as possible and sometimes lost. */
    reliable?: boolean;
}
/** Small messages to others in the room, through the server's data channels. */
export declare class DataPort {
    private readonly peer;
    private readonly mostBytes;
    constructor(peer: () => Peer | undefined, mostBytes: () => number);
    /**
     * Sends a message. False: not connected (yet), or too much is waiting already; try again at the `writable` event.
     * Throws a RangeError if it is longer than the server's limits.data_bytes, names included.
     */
    send(topic: string, payload: Uint8Array | string, options?: SendOptions): boolean;
}
