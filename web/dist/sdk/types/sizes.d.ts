export interface Size {
    readonly width: number;
    readonly height: number;
}
/** How many of `most` encodings a picture of that size has use for. */
export declare function used(size: Size | undefined, most: number): number;
/** The bit/s for the whole of a small picture, of what was planned for a large one. */
export declare function rate(size: Size, planned: number): number;
/** The size of the picture that is sent, by the browser's figures of one sender. */
export declare function sourceSize(report: Iterable<unknown>): Size | undefined;
/** And by the track, where that tells. */
export declare function trackSize(track: MediaStreamTrack | null | undefined): Size | undefined;
