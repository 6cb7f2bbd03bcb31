// How long received video is held back before it is shown. A browser that only receives does not know the round trip, so its
// own buffer is too short for what is lost to be asked for and to arrive again: frames are skipped, and the picture halts.

const LOSSY = 0.01; // share of packets lost from which it pays to wait for them
const WORSE = 0.04; // from here on what is sent again is lost again, often enough to be seen
const ONCE = 60; // ms over the round trip: frames apart, the gap noticed, the packet sent again
const TWICE = 120; // the second request comes 100 ms after the first
const MOST = 400; // ms; more would hurt talk
const PATIENCE = 10_000; // ms without loss until the delay is taken back

const STEP = 50; // ms: browsers take a longer delay at once, and the picture stands still for the difference
const PACE = 250; // ms from step to step

/** Decides from time to time. */
export class Playout {
  #target: number | null = null;
  #lossyAt = -Infinity;

  /** Takes a look at `now` (ms): the share of video packets lost, 0 to 1, and the round trip in ms. Returns ms, null: the browser's choice. */
  next(now: number, loss: number, rtt: number): number | null {
    if (loss >= LOSSY) {
      this.#lossyAt = now;
      const wanted = loss >= WORSE ? TWICE + 1.5 * rtt : ONCE + 1.5 * rtt;
      // Not down while packets are lost: every change of the delay is seen as a change of speed.
      this.#target = Math.min(MOST, Math.max(this.#target ?? 0, Math.ceil(wanted / 10) * 10));
    } else if (now - this.#lossyAt >= PATIENCE) this.#target = null;
    return this.#target;
  }
}

/** Leads the delay to where it should be, in steps too small to be seen. */
export class Gently {
  #now: number | null = null;
  #goal: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly set: (ms: number | null) => void) {}

  /** Goes to that many ms. Shorter, and back to the browser's choice (null), is at once: the picture runs faster for a while. */
  to(goal: number | null): void {
    this.#goal = goal;
    if (!this.#timer) this.#step();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #step(): void {
    this.#timer = undefined;
    const goal = this.#goal;
    this.#now = goal === null ? null : Math.min(goal, (this.#now ?? STEP) + STEP);
    this.set(this.#now);
    if (this.#now !== goal) this.#timer = setTimeout(() => this.#step(), PACE);
  }
}
