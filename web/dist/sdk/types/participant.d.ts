import type { Kind, Metadata, Stream } from './protocol';
import type { Quality } from './quality';
/** One published track, as everybody in the room knows it. */
export interface Source {
    readonly id: string;
    readonly kind: Kind;
    readonly muted: boolean;
}
/** Somebody in the room. A value: a change makes a new one, so `===` tells whether something changed. */
export declare class Participant {
    readonly id: string;
    /** From the token; one identity may be in the room more than once. */
    readonly identity: string;
    readonly name: string;
    readonly joinedAt: Date;
    readonly metadata: Metadata;
    readonly sources: readonly Source[];
    /** Since when their browser has not answered: the network is gone, or the machine sleeps. Undefined: it does. */
    readonly awaySince: Date | undefined;
    /** They may moderate. The server says so: no name can imitate it, nor `guest`. */
    readonly moderator: boolean;
    /** They came by an invitation, or were let in. */
    readonly guest: boolean;
    /** Of a guest: the id of a moderator whose name looks the same. */
    readonly like: string | undefined;
    /** How good the server finds their connection: 5 (excellent) to 1 (bad). 5 until it says something else. */
    readonly quality: Quality;
    /** Whether they cannot be reached at the moment. Their place is kept for them for a while. */
    get away(): boolean;
    /** The source of that kind, if it is published. */
    source(kind: Kind): Source | undefined;
    /** Whether the kind is published and not muted. */
    live(kind: Kind): boolean;
    /** Whether anything of the stream is published. */
    has(stream: Stream): boolean;
}
