/** A frame to the server. No `to` is everybody else. Throws a RangeError where a name is too long. */
export declare function encodeFrame(to: readonly string[], topic: string, payload: Uint8Array): Uint8Array<ArrayBuffer>;
export interface Frame {
    from: string;
    topic: string;
    payload: Uint8Array;
}
/** Reads a frame from the server; undefined if it is none. */
export declare function decodeFrame(buffer: ArrayBuffer): Frame | undefined;
