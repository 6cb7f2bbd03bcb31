import { type ErrorCode, ParleyError } from './errors';
import type { Renewal } from './protocol';
import { readToken, type Token } from './url';

const REFUSALS = 2; // in a row, after which no other token is tried

/**
 * What lets us in, and through: the token for later joins, and the STUN and TURN servers with their passwords. The server renews
 * both before they end, so whatever needs them has the newest, and no use of them finds out first that they have ended.
 */
export class Credentials {
  #ice: RTCIceServer[] = [];
  #renewed: string | undefined; // the server's newest token
  #used: string | undefined; // what the last join was made with
  readonly #bad = new Set<string | undefined>(); // refused since we were last let in
  #refusals = 0;
  #ask = false; // renew() is asked for the next join's token

  /** `given` is the page's token; `renew` makes another when none of those known is good any more. */
  constructor(
    private readonly given: Token,
    private readonly renew?: () => Promise<string | undefined>,
  ) {}

  /** Takes what a message of the server carries. True: there is a new token. */
  take({ token, ice_servers }: Renewal): boolean {
    if (ice_servers) this.#ice = ice_servers;
    if (!token || token === this.#renewed) return false;
    this.#renewed = token;
    return true;
  }

  get iceServers(): RTCIceServer[] {
    return this.#ice;
  }

  /** The newest token that is known. */
  get newest(): string | undefined {
    return this.#renewed ?? (typeof this.given === 'string' ? this.given : this.#used);
  }

  /** The token for a join: the one that the page makes for it; else the server's newest, which outlives that of a link. */
  async token(): Promise<string | undefined> {
    this.#used = await this.#choose();
    return this.#used;
  }

  async #choose(): Promise<string | undefined> {
    if (this.#ask && this.renew) {
      const made = await this.renew().catch(away);
      this.#ask = false; // not before: what cannot be made now is asked for again
      if (made) this.#renewed = made;
      return made;
    }
    const renewed = this.#bad.has(this.#renewed) ? undefined : this.#renewed;
    if (typeof this.given !== 'function') return renewed ?? this.given;
    try {
      const made = await readToken(this.given);
      return renewed !== undefined && this.#bad.has(made) ? renewed : made;
    } catch (error) {
      if (renewed === undefined) throw error;
      return renewed; // whoever makes the page's tokens is away: that ends no call
    }
  }

  /** We are in. */
  accepted(): void {
    this.#bad.clear();
    this.#refusals = 0;
  }

  /** The token was refused, or ended while we were in. True: a join with another one may succeed. */
  refused(code: ErrorCode): boolean {
    const makes = this.renew !== undefined || typeof this.given === 'function';
    if (code === 'token_expired' && !makes) return false; // the server's own would only prolong what it has ended
    this.#bad.add(this.#used);
    if (++this.#refusals > REFUSALS) return false;
    if (this.renew) {
      this.#ask = true;
      return true;
    }
    return typeof this.given === 'function' || [this.#renewed, this.given].some((t) => !!t && !this.#bad.has(t));
  }
}

/** Whoever makes tokens cannot be reached, which passes; what a server answered stays what it is. */
function away(cause: unknown): never {
  if (cause instanceof ParleyError) throw cause;
  throw new ParleyError('unreachable', undefined, true, undefined, { cause });
}
