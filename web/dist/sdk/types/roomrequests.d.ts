import type { Ban, Door, Invitation, InvitationOptions, Knock } from './door';
import { Emitter } from './emitter';
import type { Reply, Request } from './pending';
import type { Json, Kind, ModerateAction } from './protocol';
import type { RoomEvents } from './roomevents';
/** What a room asks of the server that has nothing to do with sound and picture. */
export declare abstract class RoomRequests extends Emitter<RoomEvents> {
    protected abstract readonly door: Door;
    protected abstract readonly request: (message: Request) => Promise<Reply>;
    /** Says something to all, or to one. It comes back as a `message` event. */
    chat(text: string, to?: string): Promise<void>;
    /** For those who may `moderate`. Whom `remove` takes out stays out until the room ends, unless `ban` is false. */
    moderate(action: ModerateAction, participant?: string, kind?: Kind, ban?: boolean): Promise<void>;
    /** Sends one participant any JSON, through the server: for pages that connect by themselves. */
    signal(to: string, data: Json): Promise<void>;
    /** Those who ask to be let in, as they came; for those who may `moderate`. */
    get waiting(): readonly Knock[];
    /** Lets in one who knocks, or all. */
    admit(knock?: string): Promise<void>;
    /** Sends one away who knocks, or all. */
    decline(knock?: string): Promise<void>;
    /** Makes a link that lets guests in; for those who may `invite`. */
    invite(options?: InvitationOptions): Promise<Invitation>;
    /** The links that are good: the room's for those who may `moderate`, for others their own. */
    invitations(): Promise<Invitation[]>;
    /** Ends one of these, or all. Whoever is in by it stays. */
    revoke(invitation?: string): Promise<void>;
    /** Who was removed and is kept out; for those who may `moderate`. */
    bans(): Promise<Ban[]>;
    /** Lets an identity back in, or all. */
    unban(identity?: string): Promise<void>;
}
