import { Encodings } from './encodings';
import { ParleyError } from './errors';
import { type Frame } from './frames';
import { Peer } from './peer';
import type { Reply, Request } from './pending';
import type { Kind, MediaOffer, WireSlot } from './protocol';
import type { SendPlan } from './sending';
import { type SlotChange, Slots } from './slots';
/**
 * The connection that carries sound and picture. `failed`: several attempts in a row found no way; it goes on trying.
 * `none`: the room was joined without media.
 */
export type MediaState = 'none' | 'connecting' | 'connected' | 'reconnecting' | 'failed';
export interface MediaOwner {
    request(message: Request): Promise<Reply>;
    data(frame: Frame, reliable: boolean): void;
    writable(): void;
    state(state: MediaState): void;
    /** Whether something must be coming: somebody's sound, or the server's word on what we send. */
    expects(): boolean;
    /** Streams whose tracks changed. */
    changed(changes: SlotChange[]): void;
    fault(error: ParleyError): void;
    /** Nothing comes any more, though it must: the way to the server may be gone. */
    silent(): void;
    /** A reply carries what it may. */
    renewed(reply: Reply): void;
    /** The server has given this connection up: only a new join brings another. */
    lost(): void;
}
/** The media connection of a room: its negotiations one after the other, its slots, and its recovery. */
export declare class Media {
    #private;
    peer: Peer | undefined;
    readonly slots: Slots;
    readonly encodings: {
        camera: Encodings;
        screen: Encodings;
    };
    state: MediaState;
    constructor(owner: MediaOwner, plan: SendPlan);
    /** What we send video in, as far as it depends on us. */
    get codec(): string;
    /** Makes a new connection. The one from before is closed: the server has forgotten it. */
    begin(): void;
    /** Makes the new connection's first offer. */
    offer(): Promise<MediaOffer>;
    /** Takes the answer to the first offer. */
    accept(sdp: string): Promise<void>;
    /** Makes sure that there are slots for so many streams; `soon`: for so many a while after the connection stands. */
    need(slots: number, soon?: number): void;
    /** That track is sent from now on. */
    using(kind: Kind, track: MediaStreamTrack): void;
    /** Tries now, whatever the patience that is left: a person wants it. */
    retry(): void;
    /** Somebody in the room decodes only those codecs: sends all in one that they have, if there is one. */
    decodes(theirs: readonly unknown[]): void;
    /** Takes the server's slot map. */
    map(map: readonly WireSlot[]): void;
    close(): void;
}
/** What the page is told of a negotiation that failed. */
export declare function toFault(error: unknown): ParleyError;
