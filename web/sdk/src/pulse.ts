// Browsers need 5 s and more to notice that a path is dead. Where packets must be coming and none come, we know sooner.

/** Milliseconds between looks. */
export const PULSE = 500;

const STEADY = 4; // looks in a row that found more than the one before: then silence means something
const SILENT = 1500; // ms without a byte; a retransmitted burst or a slow switch takes less
const AGAIN = 5000; // ms a repair has before the next one, doubled each time: perhaps it is the sender who has gone silent
const MOST_AGAIN = 40_000;

/** Tells from counted bytes whether the path is dead. */
export class Pulse {
  #bytes: number | undefined;
  #grewAt = 0;
  #run = 0;
  #steady = false;
  #saidAt = -Infinity;
  #again = AGAIN;

  /** Takes a look at `now` (ms): the bytes that came so far, and whether some must be coming. True: repair the path. */
  next(now: number, bytes: number, expected: boolean): boolean {
    if (!expected || this.#bytes === undefined) {
      this.reset();
      this.#bytes = expected ? bytes : undefined;
      this.#grewAt = now;
      return false;
    }
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#grewAt = now;
      this.#run++;
      if (this.#run < STEADY) return false;
      this.#steady = true;
      this.#again = AGAIN;
      return false;
    }
    this.#run = 0;
    if (!this.#steady || now - this.#grewAt < SILENT || now - this.#saidAt < this.#again) return false;
    if (this.#saidAt > this.#grewAt) this.#again = Math.min(this.#again * 2, MOST_AGAIN);
    this.#saidAt = now;
    return true;
  }

  /** Another connection, or none. */
  reset(): void {
    this.#bytes = undefined;
    this.#run = 0;
    this.#steady = false;
    this.#saidAt = -Infinity;
    this.#again = AGAIN;
  }
}
