/** Names a file for the transfer and keeps it from being taken for a leftover as long as this page lives. */
export declare function keepPrivateFile(transfer: string): string;
/** Removes a file of ours. */
export declare function removePrivateFile(name: string): Promise<void>;
/** Removes received files that pages left behind which ended without leaving their room. A join does it too. */
export declare function removeLeftovers(): Promise<void>;
