import { ParleyError } from '../errors';

interface Entry {
  send(): Promise<void>;
  wanted(): boolean;
  resolve(): void;
  reject(error: unknown): void;
}

const SHARE = 2 / 3; // of what the server takes of a client a second; the rest is for everything else in the room
const BURST = 1.5; // seconds' worth at once
const MOST_OPEN = 32; // messages without an answer
const USUAL = 30; // messages a second, where the server does not say
const PAUSE = 1000; // ms, where the server says "too fast" and not for how long

/**
 * Sends the messages about files at a pace that the server takes, in order; what concerns files under way comes before
 * offers of further ones. As long as what the user has chosen: each transfer has a few messages in it at most.
 */
export class Outbox {
  readonly #perSecond: () => number | undefined;
  readonly #now: () => number;
  readonly #urgent: Entry[] = [];
  readonly #offers: Entry[] = [];
  #open = 0;
  #closed = false;
  #tokens: number | undefined;
  #at = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(perSecond: () => number | undefined, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Settles as `send` does. What is not `wanted` any more when its turn comes is left out. */
  add(send: () => Promise<void>, offer = false, wanted = () => true): Promise<void> {
    if (this.#closed) return Promise.reject(new ParleyError('closed'));
    return new Promise((resolve, reject) => {
      (offer ? this.#offers : this.#urgent).push({ send, wanted, resolve, reject });
      this.#pump();
    });
  }

  /** Nobody is there any more to send anything to. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const entry of [...this.#urgent.splice(0), ...this.#offers.splice(0)]) entry.reject(new ParleyError('closed'));
  }

  #pump(): void {
    if (this.#timer !== undefined) return;
    while (this.#open < MOST_OPEN) {
      const queue = this.#urgent.length > 0 ? this.#urgent : this.#offers;
      const entry = queue[0];
      if (!entry) return;
      if (!entry.wanted()) {
        queue.shift();
        entry.resolve();
        continue;
      }
      const wait = this.#take(this.#now());
      if (wait > 0) {
        this.#pause(wait);
        return;
      }
      queue.shift();
      void this.#send(entry, queue);
    }
  }

  async #send(entry: Entry, queue: Entry[]): Promise<void> {
    this.#open++;
    try {
      await entry.send();
      entry.resolve();
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'rate_limited') {
        queue.unshift(entry);
        this.#pause(error.retryMs ?? PAUSE);
      } else entry.reject(error);
    } finally {
      this.#open--;
      this.#pump();
    }
  }

  #pause(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, ms);
  }

  /** Takes a message's share of the rate; or the ms until there is one. */
  #take(now: number): number {
    const perMs = ((this.#perSecond() ?? USUAL) * SHARE) / 1000;
    const most = Math.max(1, perMs * 1000 * BURST);
    this.#tokens = Math.min(most, (this.#tokens ?? most) + (now - this.#at) * perMs);
    this.#at = now;
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / perMs);
    this.#tokens--;
    return 0;
  }
}
