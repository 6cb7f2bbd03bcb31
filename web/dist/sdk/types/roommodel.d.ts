import type { Emitter } from './emitter';
import { Participant, type Source } from './participant';
import type { LeaveReason, RoomEvent, Snapshot } from './protocol';
/** The events that a room and a presence feed have in common. */
export interface ModelEvents {
    joined: Participant;
    left: {
        participant: Participant;
        reason: LeaveReason;
    };
    updated: Participant;
    published: {
        participant: Participant;
        source: Source;
    };
    unpublished: {
        participant: Participant;
        source: Source;
    };
    speaking: readonly string[];
    locked: boolean;
    /** Something of the above happened; once per message from the server, for those who draw everything anew. */
    change: undefined;
    /** Everything was replaced, because what was missed could not be caught up with. */
    reset: undefined;
}
/** Who is in a room, as told by a snapshot and the events after it. */
export declare class RoomModel {
    #private;
    private readonly out;
    participants: Map<string, Participant>;
    speaking: readonly string[];
    locked: boolean;
    position: string | undefined;
    constructor(out: Emitter<ModelEvents>);
    /** Takes a snapshot in place of everything known. `announce` is false for the first one. */
    replace(snapshot: Snapshot, announce: boolean): void;
    /** Everything known, in place of which replace() takes another; undefined before the first. */
    snapshot(): Snapshot | undefined;
    /** Moves on to `position`; false if it was seen before, so that whoever carries it must be ignored. */
    advance(position: string): boolean;
    /** Takes scores by id; returns those that changed. */
    grade(scores: {
        [id: string]: unknown;
    }): Participant[];
    /** Applies an event whose position was new. */
    apply(event: RoomEvent): void;
}
