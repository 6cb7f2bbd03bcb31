// Milliseconds before each attempt to come back: at once, then patiently. The last one repeats.
const DELAYS = [0, 300, 1000, 2000, 4000, 7000];

/** The same for feeds of many watchers, who lose it all at once, and need it less. */
export const FEED_DELAYS = [500, 1000, 2000, 4000, 5000];

/** How long a connection must have lived for the next loss to count as the first again, milliseconds. */
const HEALTHY = 5000;

/** Decides when to try again. Each delay is spread by a quarter either way, so that clients do not come in step. */
export class Backoff {
  #attempt = 0;
  #upSince: number | undefined;

  constructor(
    private readonly random: () => number = Math.random,
    private readonly delays: readonly number[] = DELAYS,
  ) {}

  /** Attempts since the last healthy time. */
  get attempt(): number {
    return this.#attempt;
  }

  up(now: number): void {
    this.#upSince = now;
  }

  /** The delay before the next attempt, milliseconds. */
  next(now: number): number {
    if (this.#upSince !== undefined && now - this.#upSince >= HEALTHY) this.#attempt = 0;
    this.#upSince = undefined;
    const delay = this.delays[Math.min(this.#attempt, this.delays.length - 1)] ?? 0;
    this.#attempt++;
    return Math.round(delay * (0.75 + this.random() / 2));
  }
}
