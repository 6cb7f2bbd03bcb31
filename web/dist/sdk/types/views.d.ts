import type { Stream, Tile } from './protocol';
/** How a page shows a stream. */
export interface AttachOptions {
    /**
     * False: the best picture there is flows for as long as it is attached, whatever the element's size and whether it can be
     * seen. Default: the room's `adaptive`.
     */
    adaptive?: boolean;
}
export interface ViewsOwner {
    /** What shows the stream now, or null: no picture, or not there (yet). */
    picture(participant: string, stream: Stream): MediaStream | null;
    /** Whether the server must send it: not our own. */
    remote(participant: string): boolean;
    subscribe(tiles: Tile[]): void;
    mostTiles(): number;
    /** What the page wants where attach() does not say. */
    adaptive: boolean;
    /** Device pixels per CSS pixel; undefined: as density() says. */
    density: number | undefined;
}
/** The page's elements that show streams. What they need of the server follows their size and visibility. */
export declare class Views {
    #private;
    constructor(owner: ViewsOwner);
    /** Shows the stream in the element; returns what ends that. */
    attach(box: HTMLElement, participant: string, stream: Stream, options?: AttachOptions): () => void;
    /** When the network is short, pinned streams come before the others. */
    pin(participant: string, stream: Stream, pinned: boolean): void;
    /** How many streams of others have a tile. */
    get shown(): number;
    /** Shows what there is now for that stream, or for all. */
    update(participant?: string, stream?: Stream): void;
    /** Tells the server again what is shown. */
    resend(): void;
    close(): void;
}
