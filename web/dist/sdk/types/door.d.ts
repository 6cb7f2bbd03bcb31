import type { Reply, Request } from './pending';
import type { Permission, SessionEvent, WireKnock } from './protocol';
/** Somebody who asks to be let in. */
export interface Knock {
    readonly id: string;
    readonly identity: string;
    readonly name: string;
    readonly guest: boolean;
    readonly since: Date;
    /** The participant whose name looks the same. */
    readonly like?: string;
}
/** A link that lets guests into the room. */
export interface Invitation {
    readonly id: string;
    /** What the link carries: `/r/{room}#invite=…` on the server's own pages. */
    readonly invite: string;
    /** The identity, and the name, of who made it. */
    readonly by: string;
    readonly byName: string;
    readonly can: readonly Permission[];
    /** Guests ask first. */
    readonly knock: boolean;
    readonly label?: string;
    readonly madeAt: Date;
    readonly expiresAt: Date;
    /** How often it was used. */
    readonly uses: number;
}
/** What an invitation should be. */
export interface InvitationOptions {
    /** Seconds it is good for; the server has a default and a limit. */
    ttl?: number;
    /** Guests ask first. Default false. */
    knock?: boolean;
    /** Nothing that we may not do ourselves. Default: what the server gives guests. */
    can?: readonly Permission[];
    label?: string;
}
/** Somebody who was removed, and is kept out. */
export interface Ban {
    readonly identity: string;
    readonly name: string;
    readonly at: Date;
    /** The moderator's identity. */
    readonly by: string;
    /** They came by this one, which lets nobody new in. */
    readonly invitation?: string;
}
export interface DoorEvents {
    /** Somebody asks to be let in; for those who may `moderate`. */
    knocking: Knock;
    /** It was decided, or they went away. */
    knock_ended: {
        knock: Knock;
        reason: 'admitted' | 'declined' | 'left' | 'timeout';
        by?: string;
    };
}
/** What the door needs of its room. */
export interface DoorOwner {
    request(message: Request): Promise<Reply>;
    emit<E extends keyof DoorEvents>(event: E, value: DoorEvents[E]): void;
}
export declare class Door {
    #private;
    private readonly owner;
    constructor(owner: DoorOwner);
    get waiting(): readonly Knock[];
    /** Takes the list of a snapshot in place of what was known. */
    replace(list: readonly WireKnock[] | null | undefined): void;
    /** True: the event was about who waits. */
    event(event: SessionEvent): boolean;
    decide(action: 'admit' | 'decline', knock?: string): Promise<void>;
    invite(options: InvitationOptions): Promise<Invitation>;
    invitations(): Promise<Invitation[]>;
    revoke(invitation?: string): Promise<void>;
    bans(): Promise<Ban[]>;
    unban(identity?: string): Promise<void>;
}
