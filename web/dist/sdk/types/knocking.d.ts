/** What a client is told that knocks: who has to come, or decide. */
export interface Waiting {
    /** `moderator`: somebody inside decides. `host`: nobody is there who could. */
    readonly for: 'moderator' | 'host';
    /** False: the connection is lost. It is made again by itself, and our place is kept meanwhile. */
    readonly connected: boolean;
}
/** The knock of a session that is not in yet. It outlives its connection: it is taken up by its id and secret. */
export declare class Knocking {
    #private;
    private first;
    /** For whom we wait. */
    whom: Waiting['for'];
    /** `first`: knock without a join before, since we know that we must. */
    constructor(first: boolean);
    /** Whether the next connection knocks, in place of a join. */
    get due(): boolean;
    /** Whether the server has us on its list. */
    get waits(): boolean;
    /** What a knock says: what it takes up, or who knocks. */
    fields(who: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown>>;
    /** The server has us on its list. */
    taken(message: {
        knock?: unknown;
        secret?: unknown;
        for?: unknown;
    }): void;
    /** The server knows nothing of us: knock anew. */
    lost(): void;
    /** We are let in. */
    over(): void;
}
