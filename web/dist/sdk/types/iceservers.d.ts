/** The STUN and TURN servers with their time-limited credentials, as the server last told them. */
export declare class IceServers {
    #private;
    /** Takes what a reply carries, if it carries any. */
    take(reply: {
        ice_servers?: RTCIceServer[] | null;
        ice_ttl?: number;
    }, now: number): void;
    get list(): RTCIceServer[];
    /** Whether credentials are good for less than a minute more: then a negotiation brings new ones. */
    stale(now: number): boolean;
}
