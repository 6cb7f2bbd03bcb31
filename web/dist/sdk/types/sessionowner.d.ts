import type { ErrorCode, ParleyError } from './errors';
import type { Waiting } from './knocking';
import type { Renewal, Resumed, SessionEvent, Welcome } from './protocol';
export type SessionState = 'connecting' | 'connected' | 'reconnecting' | 'closed';
/** What a session needs of its owner. */
export interface SessionOwner {
    /** The fields of a join, made anew for each attempt. */
    join(): Promise<Record<string, unknown>>;
    /** The fields of a knock. */
    knock(): Promise<Record<string, unknown>>;
    /** Whether we wait where a join is answered that we must knock. */
    patient(): boolean;
    /** The server has us on the list of those who wait. */
    waiting(waiting: Waiting): void;
    /** A join succeeded: the first time, or after the session was lost (`again`): then all state is replaced. */
    welcome(welcome: Welcome, again: boolean): void;
    resumed(resumed: Resumed): void;
    /** What was handed out is renewed. */
    renewed(renewal: Renewal): void;
    /** The token was refused, or ended while we were in. True: a join with another one may succeed. */
    refused(code: ErrorCode): boolean;
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
    /** Knock in place of the first join. */
    knock?: boolean;
    /** For tests. */
    socket?: (url: string, protocol: string) => WebSocket;
    random?: () => number;
}
