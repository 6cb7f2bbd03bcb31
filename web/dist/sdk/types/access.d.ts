import type { Permission } from './protocol';
/** Somebody who signed in, and may open rooms. */
export interface Host {
    readonly identity: string;
    readonly name: string;
}
/** What holds on a server. */
export interface Access {
    /** Who may open a room: whoever comes, hosts who sign in, or who has an application's token. */
    readonly open: 'anyone' | 'hosts' | 'tokens';
    /** Whoever has no invitation may ask to be let in. */
    readonly knock: boolean;
    /** How a host signs in; `link`: by the one that the server printed when it started. */
    readonly signIn: readonly ('passphrase' | 'oidc' | 'link')[];
    /** The name of the provider behind `oidc`. */
    readonly oidcName?: string;
    /** Who is signed in in this browser. */
    readonly host?: Host;
    /** Everybody who reaches the server may do everything. */
    readonly insecure: boolean;
    /** The server is there for the local network alone. */
    readonly lan: boolean;
}
/** What one comes into a room with. */
export interface Entry {
    /** For Room.connect() and Presence.watch(); undefined: none is needed. */
    readonly token?: string;
    /** Seconds. */
    readonly tokenTTL?: number;
    readonly identity?: string;
    readonly name?: string;
    readonly can: readonly Permission[];
    /** A moderator has to let us in: connect with `knock`. */
    readonly knock: boolean;
    /** We open no room that nobody is in. */
    readonly guest: boolean;
    readonly host: boolean;
}
/** Asks a server what holds there. */
export declare function access({ url }?: {
    url?: string;
}): Promise<Access>;
/** Signs in as a host, with the server's passphrase or the key of a sign-in link. The browser remembers it, on our own origin. */
export declare function signIn(o: {
    url?: string;
    passphrase?: string;
    key?: string;
    name?: string;
}): Promise<Host>;
export declare function signOut({ url }?: {
    url?: string;
}): Promise<void>;
/** Exchanges what one has, an invitation, a host's sign-in or nothing, for a token that lets one into the room. */
export declare function enter(o: {
    url?: string;
    room: string;
    invite?: string;
    token?: string;
}): Promise<Entry>;
