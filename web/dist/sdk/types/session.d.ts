import { ParleyError } from './errors';
import { type Reply, type Request } from './pending';
import type { Renewal, Resumed, SessionEvent, Welcome } from './protocol';
export type SessionState = 'connecting' | 'connected' | 'reconnecting' | 'closed';
/** What a session needs of its owner. */
export interface SessionOwner {
    /** The fields of a join, made anew for each attempt. */
    join(): Promise<Record<string, unknown>>;
    /** A join succeeded: the first time, or after the session was lost (`again`): then all state is replaced. */
    welcome(welcome: Welcome, again: boolean): void;
    resumed(resumed: Resumed): void;
    /** What was handed out is renewed. */
    renewed(renewal: Renewal): void;
    /** The token was refused. True: a join with another one may succeed. */
    refused(): boolean;
    event(event: SessionEvent): void;
    state(state: SessionState): void;
    /** The end: with the reason, or without one after leave(). */
    closed(error: ParleyError | undefined): void;
    /** Everything up to there has come. */
    reached(position: string): void;
    /** The last position that was seen. */
    position(): string | undefined;
    /** An error that answers no request. */
    fault(error: ParleyError): void;
}
export interface SessionOptions {
    url: string;
    owner: SessionOwner;
    /** For tests. */
    socket?: (url: string, protocol: string) => WebSocket;
    random?: () => number;
}
/**
 * One session over one WebSocket after the other (docs/protocol.md). Requests survive the loss of a connection: what was
 * not answered is sent again with its old id after the resume.
 */
export declare class Session {
    #private;
    state: SessionState;
    constructor(options: SessionOptions);
    /** Connects and joins; resolves once welcome. Call it once. */
    start(): Promise<void>;
    /** Sends a request, now or once connected again, and gives the reply. What came too fast is sent again in time. */
    request(message: Request): Promise<Reply>;
    /** Leaves the room; resolves once the server has confirmed it, or after a second. */
    leave(): Promise<void>;
    /** The page goes to sleep (back-forward cache): leaves, to join anew on wake(). */
    sleep(): void;
    wake(): void;
    /** The room has told us that it is over, whatever becomes of the close code on its way through proxies. */
    finish(error: ParleyError): void;
    /** Gives the session up and joins anew. */
    rejoin(): void;
    /** The network came back or changed, or media fell silent: reconnect now, or see whether the connection still answers. */
    probe(): void;
}
