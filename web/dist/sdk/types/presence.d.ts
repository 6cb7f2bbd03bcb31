import { Emitter } from './emitter';
import type { ParleyError } from './errors';
import type { Participant } from './participant';
import { type ModelEvents } from './roommodel';
import { type Token } from './url';
/** `paused`: the page is hidden. It is `live` again, and up to date, at once when it is shown. */
export type PresenceState = 'connecting' | 'live' | 'reconnecting' | 'paused' | 'closed';
export interface PresenceEvents extends ModelEvents {
    state: PresenceState;
    /** The feed ended: with the reason, or without one after close(). */
    closed: ParleyError | undefined;
}
export interface WatchOptions {
    /** The server; default: where the page came from. */
    url?: string;
    room: string;
    /** With the permission `watch`, where the server wants one. A function is asked again at each reconnect. */
    token?: Token;
    /** Default: SSE, and long-poll where that does not get through. */
    transport?: 'sse' | 'poll';
    /** True: goes on while the page is hidden, with a connection of its own. Default false. */
    hidden?: boolean;
}
/** Follows who is in a room without joining it. */
export declare class Presence extends Emitter<PresenceEvents> {
    #private;
    state: PresenceState;
    /** Starts to watch. The first `reset` event tells that the room's state is known. */
    static watch(options: WatchOptions): Presence;
    private constructor();
    get participants(): ReadonlyMap<string, Participant>;
    /** Ids, the loudest first. */
    get speaking(): readonly string[];
    get locked(): boolean;
    /** Where in the room's log we are; undefined before the first answer. */
    get position(): string | undefined;
    close(): void;
}
