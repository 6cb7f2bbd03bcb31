import { ParleyError } from './errors';
import type { Renewal, WireSource, WireStats } from './protocol';
export interface Request {
    type: string;
    [field: string]: unknown;
}
export interface Reply extends WireStats, Renewal {
    type: string;
    id: number;
    source?: WireSource;
    position?: string;
    media?: {
        sdp: string;
    };
}
/** The requests that were not answered yet, in the order they were made. */
export declare class Pending {
    #private;
    private readonly nextID;
    constructor(nextID: () => number);
    /** Keeps a request until it is answered, and sends it if there is a socket to send it on. */
    add(message: Request, socket: WebSocket | undefined): Promise<Reply>;
    resolve(id: number, reply: Reply): void;
    /** False if no such request waits. */
    reject(id: number, error: ParleyError): boolean;
    /** Sends everything: what was sent before again, with its old id. */
    sendAll(socket: WebSocket | undefined): void;
    /** The connection is gone: nobody is late while there is none. */
    pause(): void;
    rejectAll(error: ParleyError): void;
}
