/** The STUN and TURN servers with their time-limited credentials, as the server last told them. */
export class IceServers {
  #servers: RTCIceServer[] = [];
  #until = 0;

  /** Takes what a reply carries, if it carries any. */
  take(reply: { ice_servers?: RTCIceServer[] | null; ice_ttl?: number }, now: number): void {
    if (!reply.ice_servers) return;
    this.#servers = reply.ice_servers;
    this.#until = now + (reply.ice_ttl ?? 3600) * 1000;
  }

  get list(): RTCIceServer[] {
    return this.#servers;
  }

  /** Whether credentials are good for less than a minute more: then a negotiation brings new ones. */
  stale(now: number): boolean {
    return this.#servers.length > 0 && now > this.#until - 60_000;
  }
}
