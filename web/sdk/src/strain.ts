// What to do when this machine is too slow to encode what it should: send less, and more again with patience.

/** 0: everything. 1: without the largest size, or at fewer frames where there is one size. 2: fewer frames still. */
export type Strain = 0 | 1 | 2;

const TIRED = 6000; // ms of strain before a step down: browsers adapt by themselves first, and short peaks pass
const RESTED = 30_000; // ms without strain before a step up
const RELAPSE = 60_000; // a step up that is taken back within so many ms was too early: the next one waits twice as long
const MOST_PATIENCE = 240_000; // ms

/** Decides how much of the load to shed, from what the encoders say now and then. */
export class StrainGauge {
  level: Strain = 0;
  #strainedSince: number | undefined;
  #easySince: number | undefined;
  #roseAt = -Infinity;
  #patience = RESTED;

  /** Takes a look at `now`, milliseconds: whether some encoder was limited by the CPU. Returns the level to keep. */
  next(now: number, limited: boolean): Strain {
    if (limited) this.#strained(now);
    else this.#easy(now);
    return this.level;
  }

  #strained(now: number): void {
    this.#easySince = undefined;
    this.#strainedSince ??= now;
    if (now - this.#strainedSince < TIRED || this.level === 2) return;
    this.level++;
    this.#strainedSince = undefined;
    this.#patience = now - this.#roseAt < RELAPSE ? Math.min(this.#patience * 2, MOST_PATIENCE) : RESTED;
  }

  #easy(now: number): void {
    this.#strainedSince = undefined;
    this.#easySince ??= now;
    if (now - this.#easySince < this.#patience || this.level === 0) return;
    this.level--;
    this.#easySince = undefined;
    this.#roseAt = now;
  }
}
